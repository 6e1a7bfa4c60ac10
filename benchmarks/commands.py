"""Rating requests per second, compared with an empty view with one INSERT."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.append import make_plain_table
from benchmarks.http_load import wrk
from benchmarks.measurement import Measurement
from benchmarks.stage import Stage
from benchmarks.turns import in_turn
from benchmarks.users import BenchmarkUser, register

CONNECTIONS = 16
SECONDS = 6
PEOPLE = 64
GATE = 0.5

_POST = 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = "{}"\n'
# Each request has another movie and, over time, another score, so every command changes something.
_PUT = """
local tokens = {%s}
local n = %d
function request()
  n = n + 1
  local path = "/v1/movies/" .. (n %% 36000 + 1) .. "/rating"
  local headers = {["Content-Type"] = "application/json",
                   ["Authorization"] = "Bearer " .. tokens[n %% #tokens + 1]}
  return wrk.format("PUT", path, headers, '{"score":' .. (math.floor(n / 36000) %% 10 + 1) .. '}')
end
"""


def rows(stage: Stage) -> Iterable[Measurement]:
    """PUT rating, 16 connections: with relay and projectors running, and without them."""
    people = [register(stage.platform) for _ in range(PEOPLE)]
    make_plain_table(stage.platform.environ["MARQUEE_DATABASE_URL"])
    turn = count(1)
    with TemporaryDirectory() as directory:
        yield _row(stage, people, Path(directory), turn, "relay and projectors at work", gate=None)
        # The calibration shares the processor with no relay and no projector, so stop them.
        for name, process in stage.platform.processes.items():
            if name.startswith(("relay", "projector")):
                process.stop()
        yield _row(stage, people, Path(directory), turn, "relay and projectors stopped", gate=GATE)


def _row(
    stage: Stage,
    people: Sequence[BenchmarkUser],
    directory: Path,
    turn: Iterator[int],
    beside: str,
    *,
    gate: float | None,
) -> Measurement:
    post = directory / "post.lua"
    post.write_text(_POST)

    def rate() -> float:
        script = _script(directory, people, turn=next(turn))
        url = f"{stage.platform.command_url}/"
        return wrk(url, connections=CONNECTIONS, seconds=SECONDS, script=script).per_second

    def insert() -> float:
        url = f"{stage.bare_url}/insert"
        return wrk(url, connections=CONNECTIONS, seconds=SECONDS, script=post).per_second

    turns = in_turn(rate, insert)
    return Measurement(
        group="commands",
        name=f"PUT rating, {CONNECTIONS} connections, {beside}",
        measured=turns.measured,
        unit="requests/s",
        calibration="empty DRF POST with one bare INSERT of the same row",
        calibrated=turns.calibrated,
        gate=gate,
        spread=turns.spread,
    )


def _script(directory: Path, people: Sequence[BenchmarkUser], *, turn: int) -> Path:
    """Write a wrk script; each turn starts with movies that its users have not rated yet."""
    script = directory / f"put-{turn}.lua"
    tokens = ", ".join(f'"{person.token}"' for person in people)
    script.write_text(_PUT % (tokens, turn * 1_000_003))
    return script
