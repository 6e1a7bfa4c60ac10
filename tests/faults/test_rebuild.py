"""Rebuild under load: no read fails, even when the rebuild is killed half-way."""

import os
import subprocess

from redis import Redis

from infra.platform.processes import HOME, manage
from projectors.generations.pointers import Pointers
from projectors.registry import MODELS
from tests.faults.test_read_stores import under_load, wait_for_reads
from tests.fixtures.platform import UNTHROTTLED, import_
from tests.fixtures.waiting import until


def rebuild(platform, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        manage("rebuild", "--all", *arguments),
        cwd=HOME,
        env={**os.environ, **platform.environ, "MARQUEE_ROLE": "ops"},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_rebuild_killed_half_way_resumes_and_no_read_fails(start, catalogue, redis_url):
    platform = start(**UNTHROTTLED)
    import_(platform, catalogue)
    with under_load(platform) as load, Redis.from_url(redis_url) as redis:
        wait_for_reads(load, 2)
        half = rebuild(platform)
        until(lambda: has_begun(redis, 2) or half.poll() is not None)
        half.kill()
        half.communicate()
        assert live(redis) == dict.fromkeys(names(), 1)
        verified_rebuild = rebuild(platform, "--verify")
        out, _ = verified_rebuild.communicate()
        assert verified_rebuild.returncode == 0, out
        assert out.count("equal") >= len(names())
        assert live(redis) == dict.fromkeys(names(), 2), (
            "the second rebuild did not resume the first"
        )
        wait_for_reads(load, 2)
    assert platform.manage("generations", "switch", "trending", "1") == 0
    assert platform.manage("verify", "trending") == 0


def names() -> list[str]:
    return [model.name for model in MODELS]


def has_begun(redis: Redis, number: int) -> bool:
    """Whether a shard of the new generations has applied something."""
    return any(redis.exists(f"{{{name}.{number}.all}}:checkpoints") for name in names())


def live(redis: Redis) -> dict[str, int]:
    return Pointers(redis).snapshot().live
