"""Does nobody notice a rebuild, even one that is killed half-way?"""

import os
import subprocess

from redis import Redis

from infra.platform.processes import HOME, manage
from projectors.generations.pointers import Pointers
from projectors.registry import MODELS
from tests.faults.kill_loop.stage import UNTHROTTLED
from tests.faults.test_read_stores import has_read, under_load
from tests.fixtures.platform import import_
from tests.fixtures.waiting import until


def rebuild(found, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        manage("rebuild", "--all", *arguments),
        cwd=HOME,
        env={**os.environ, **found.environ, "MARQUEE_ROLE": "ops"},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_rebuilt_under_load_killed_half_way_and_gone_on_with(start, catalogue, redis_url):
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
        assert live(redis) == dict.fromkeys(names(), 2), "it did not go on with the same"
        has_read(load, 2)
    assert found.manage("generations", "switch", "trending", "1") == 0
    assert found.manage("verify", "trending") == 0


def names() -> list[str]:
    return [model.name for model in MODELS]


def has_begun(redis: Redis, number: int) -> bool:
    """Whether some shard of the new generations has taken something in, but not yet all of them."""
    return any(redis.exists(f"{{{name}.{number}.all}}:checkpoints") for name in names())


def live(redis: Redis) -> dict[str, int]:
    return Pointers(redis).snapshot().live
