"""``make teeth``: puts known bugs back and checks that tests catch them."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from tests.teeth.biting import Bite, bite, private_copy, run
from tests.teeth.bug import Bug, names, read

_LINE = "{:<64}  {:<98}  {:>7}"


def main() -> int:
    parser = ArgumentParser(description="Put known bugs back, one at a time, and run their tests.")
    parser.add_argument("--only", nargs="*", choices=names(), default=names(), metavar="NAME")
    bugs = {name: read(name) for name in parser.parse_args().only}
    with private_copy() as copy:
        if not _all_is_well(list(bugs.values()), copy):
            return 2
        print(_LINE.format("bug put back", "test that caught it", "seconds"))
        survivors = 0
        for name, bug in bugs.items():
            result = bite(bug, copy)
            survivors += not result.is_caught
            _tell(name, bug, result)
    print(f"{len(bugs) - survivors} of {len(bugs)} bugs were caught.")
    return 1 if survivors else 0


def _all_is_well(bugs: Sequence[Bug], copy: Path) -> bool:
    """The tests must pass without any bug, or their failure would prove nothing."""
    for role in sorted({bug.role for bug in bugs}):
        tests = sorted({test for bug in bugs if bug.role == role for test in bug.tests})
        print(f"Without a bug: {len(tests)} tests in the role {role} ...", flush=True)
        result = run(tests, copy, role)
        if result.status != 0:
            print(result.output)
            return False
    return True


def _tell(name: str, bug: Bug, result: Bite) -> None:
    caught_by = result.caught_by if result.is_caught else (f"NOBODY ({name})",)
    lines = [bug.bug] + [""] * (len(caught_by) - 1)
    seconds = [f"{result.seconds:.1f}"] + [""] * (len(caught_by) - 1)
    for what, test, lasted in zip(lines, caught_by, seconds, strict=True):
        print(_LINE.format(what, test.removeprefix("tests/"), lasted), flush=True)
    if not result.is_caught:
        print(f"not noticed by: {', '.join(result.missed_by)}\n{result.output}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
