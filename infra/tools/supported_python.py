"""Supported Pythons: refuses any other in one line, before anything is installed.

Any Python 3 can run this file, so that an old one reads its message and not a syntax error.
"""

import importlib.util
import sys

OLDEST, NEWEST = (3, 11), (3, 14)
RANGE = "{}.{} to {}.{}".format(*OLDEST, *NEWEST)


def objection(version: "tuple[int, int]", *, has_ensurepip: bool, is_venv: bool) -> str:
    """Why this Python can't run the platform, and the way out; empty if it can."""
    name = f"Python {version[0]}.{version[1]} ({sys.executable})"
    if not OLDEST <= version <= NEWEST:
        way_out = "remove .venv" if is_venv else "name one: make run BASE_PYTHON=python3.13"
        return f"{name} is not supported: Marquee needs Python {RANGE}; {way_out}"
    if not has_ensurepip and not is_venv:
        return f"{name} can't make virtual environments: apt-get install python3-venv"
    return ""


if __name__ == "__main__":
    sys.exit(
        objection(
            sys.version_info[:2],
            has_ensurepip=importlib.util.find_spec("ensurepip") is not None,
            is_venv=sys.prefix != sys.base_prefix,
        )
        or 0
    )
