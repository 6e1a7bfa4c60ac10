"""Table rows of the projecting benchmark."""

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.append import temporary_log
from benchmarks.measurement import Measurement
from benchmarks.turns import of_process
from infra.services import Addresses, private_redis

GATE = 0.5


def rows(servers: Addresses) -> Iterable[Measurement]:
    """A worker of one model, and a worker of all nine."""
    with temporary_log(servers, "marquee_bench_projecting") as environ, private_redis() as redis:
        at = {**environ, "MARQUEE_REDIS_URL": redis}
        yield _row(at, "a worker of the library", ("library",), gate=GATE)
        yield _row(at, "a worker of all nine models and their builders", (), gate=None)


def _row(
    environ: Mapping[str, str], who: str, only: Sequence[str], *, gate: float | None
) -> Measurement:
    turns = of_process("benchmarks.projecting_turns", *only, environ=environ)
    return Measurement(
        group="projecting",
        name=f"live projecting, {who}, from quorum queues",
        measured=turns.measured,
        unit="events/s",
        calibration="bare pika consumer, same prefetch, batched acks",
        calibrated=turns.calibrated,
        gate=gate,
        spread=turns.spread,
    )
