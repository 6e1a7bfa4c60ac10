"""Table row of the relay benchmark."""

from collections.abc import Iterable

from benchmarks.append import temporary_log
from benchmarks.measurement import Measurement
from benchmarks.turns import of_process
from infra.services import Addresses

GATE = 0.7


def rows(servers: Addresses) -> Iterable[Measurement]:
    """Rate of the relay, which reads the log, publishes in order and saves its cursors."""
    with temporary_log(servers, "marquee_bench_relay") as environ:
        turns = of_process("benchmarks.relay_turns", environ=environ)
    yield Measurement(
        group="relay",
        name="relay from the log to quorum queues, confirmed",
        measured=turns.measured,
        unit="messages/s",
        calibration="bare pika SelectConnection, same bytes, same window",
        calibrated=turns.calibrated,
        gate=GATE,
        spread=turns.spread,
    )
