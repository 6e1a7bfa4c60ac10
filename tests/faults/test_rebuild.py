"""Rebuild under load: no read fails, even when the rebuild is killed half-way."""

import os
import subprocess

from redis import Redis

from infra.platform.processes import HOME, manage
from projectors.generations.pointers import Pointers
from projectors.registry import MODELS
from tests.faults.test_read_stores import has_read, under_load
from tests.fixtures.platform import UNTHROTTLED, import_
from tests.fixtures.waiting import until


def rebuild(found, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        manage("rebuild", "--all", *arguments),
        cwd=HOME,
        env={**os.environ, **found.environ, "MARQUEE_ROLE": "ops"},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_rebuild_killed_half_way_resumes_and_no_read_fails(start, catalogue, redis_url):
    found = start(**UNTHROTTLED)
    import_(found, catalogue)
    with under_load(found) as load, Redis.from_url(redis_url) as redis:
        has_read(load, 2)
        half = rebuild(found)
        until(lambda: has_begun(redis, 2) or half.poll() is not None)
        half.kill()
        half.communicate()
        assert live(redis) == dict.fromkeys(names(), 1)
        whole = rebuild(found, "--verify")
        out, _ = whole.communicate()
        assert whole.returncode == 0, out
        assert out.count("equal") >= len(names())
        assert live(redis) == dict.fromkeys(names(), 2), (
            "the second rebuild did not resume the first"
        )
        has_read(load, 2)
    assert found.manage("generations", "switch", "trending", "1") == 0
    assert found.manage("verify", "trending") == 0


def names() -> list[str]:
    return [model.name for model in MODELS]


def has_begun(redis: Redis, number: int) -> bool:
    """Whether a shard of the new generations has applied something."""
    return any(redis.exists(f"{{{name}.{number}.all}}:checkpoints") for name in names())


def live(redis: Redis) -> dict[str, int]:
    return Pointers(redis).snapshot().live
