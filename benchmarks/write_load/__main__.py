"""Puts a running platform under load and reports lost or doubled writes."""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Event, Timer
from typing import Any

import msgspec

from benchmarks.write_load.load import Load, LoadOptions
from infra.platform.supervisor import stop_on_signals

_HELP = """\
Users register, then write and read until the time is over, Ctrl-C or SIGTERM. Each write is
repeated with its Idempotency-Key until it is answered. --check then compares the query API's
answers with the accepted writes, for up to half a minute while read models are behind: nothing
else may rate these movies meanwhile.
Exit status 1 if a read failed or wrongly found nothing, or if a write was lost or doubled;
--reads-may-fail ignores the reads.
"""


def main() -> int:
    """Run the load and print a summary; exit status 1 if reads or writes went wrong."""
    arguments = _parse()
    stopping = Event()
    stop_on_signals(stopping)
    if arguments.seconds:
        timer = Timer(arguments.seconds, stopping.set)
        timer.daemon = True
        timer.start()
    load = Load(
        LoadOptions(
            command_url=arguments.command_url,
            query_url=arguments.query_url,
            people=arguments.people,
            readers=arguments.readers,
            movies=arguments.movies,
            pause_seconds=arguments.pause,
        )
    )
    began = time.monotonic()
    print(f"{arguments.people} people write, {arguments.readers} read.", flush=True)
    ledger = load.run(stopping, lambda: _print_progress(load, began))
    if arguments.ledger:
        arguments.ledger.write_bytes(ledger.write())
    summary: dict[str, Any] = _summary(load, began)
    if arguments.check:
        result = load.check()
        summary |= {"values looked at": result.values, "lost": result.lost, "twice": result.twice}
        summary["differs"] = result.shown
    load.close()
    print(json.dumps(summary, indent=2), flush=True)
    if arguments.report:
        arguments.report.write_text(json.dumps(summary))
    return 0 if _is_well(summary, reads_may_fail=arguments.reads_may_fail) else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.write_load",
        description=__doc__,
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--command-url", default="http://127.0.0.1:8001", metavar="URL")
    add("--query-url", default="http://127.0.0.1:8000", metavar="URL")
    add("--seconds", type=float, default=0, metavar="N", help="0: until stopped")
    add("--people", type=int, default=4, metavar="N", help="users who write (default 4)")
    add("--readers", type=int, default=1, metavar="N", help="users who read (default 1)")
    add("--movies", type=int, default=100, metavar="N", help="movies with the ids 1 to N")
    add(
        "--pause",
        type=float,
        default=0.02,
        metavar="SECONDS",
        help="between two requests of a user",
    )
    add("--check", action="store_true", help="compare all answers with the ledger at the end")
    add("--reads-may-fail", action="store_true", help="only count failed reads")
    add("--ledger", type=Path, metavar="FILE", help="save the accepted writes as JSON")
    add("--report", type=Path, metavar="FILE", help="save the summary as JSON")
    return parser.parse_args()


def _print_progress(load: Load, began: float) -> None:
    writes, reads = load.writes, [each.summary() for each in load.reads]
    seconds = time.monotonic() - began
    answered, failed, not_now, untrue = (
        sum(each[name] for each in reads) for name in ("answered", "failed", "not now", "untrue")
    )
    print(
        f"{seconds:5.0f} s  writes accepted {writes.accepted:,}"
        f" ({writes.accepted / seconds:.0f}/s), sent again {writes.repeated};"
        f"  reads answered {answered:,}, failed {failed}, not now {not_now}, untrue {untrue}",
        flush=True,
    )


def _summary(load: Load, began: float) -> dict[str, Any]:
    return {
        "seconds": round(time.monotonic() - began, 1),
        "writes": msgspec.to_builtins(load.writes),
        "reads": [reads.summary() for reads in load.reads],
    }


def _is_well(summary: Mapping[str, Any], *, reads_may_fail: bool) -> bool:
    is_kept = not summary.get("lost") and not summary.get("twice")
    is_read = not any(reads["failed"] or reads["untrue"] for reads in summary["reads"])
    return is_kept and not summary["writes"]["refused"] and (is_read or reads_may_fail)


if __name__ == "__main__":
    sys.exit(main())
