"""How many ratings a second does the command API take, beside an empty view with one INSERT?"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.load import wrk
from benchmarks.people import Person, register
from benchmarks.row import Row
from benchmarks.stage import Stage
from benchmarks.turns import in_turn

CONNECTIONS = 16
SECONDS = 6
PEOPLE = 64
GATE = 0.5

_POST = 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = "{}"\n'
# Every request another movie and, over time, another score: no command is one that changes nothing.
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


def rows(stage: Stage) -> Iterable[Row]:
    """PUT rating, 16 connections."""
    people = [register(stage.platform) for _ in range(PEOPLE)]
    with TemporaryDirectory() as directory:
        post = Path(directory) / "post.lua"
        post.write_text(_POST)
        turn = iter(range(1, 1000))

        def rate() -> float:
            script = _script(Path(directory), people, turn=next(turn))
            url = f"{stage.platform.command_url}/"
            return wrk(url, connections=CONNECTIONS, seconds=SECONDS, script=script).per_second

        def insert() -> float:
            url = f"{stage.bare_url}/insert"
            return wrk(url, connections=CONNECTIONS, seconds=SECONDS, script=post).per_second

        turns = in_turn(rate, insert)
    yield Row(
        group="commands",
        name=f"PUT rating, {CONNECTIONS} connections",
        measured=turns.measured,
        unit="requests/s",
        calibration="empty DRF POST with one bare INSERT",
        calibrated=turns.calibrated,
        gate=GATE,
        spread=turns.spread,
    )


def _script(directory: Path, people: Sequence[Person], *, turn: int) -> Path:
    """Each turn begins with movies that nobody here has rated yet."""
    script = directory / f"put-{turn}.lua"
    tokens = ", ".join(f'"{person.token}"' for person in people)
    script.write_text(_PUT % (tokens, turn * 1_000_003))
    return script
