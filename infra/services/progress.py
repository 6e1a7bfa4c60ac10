"""Progress lines of servers and processes that start."""

import sys


def say(subject: str, progress: str) -> None:
    """Write a progress line to stderr, because stdout is for the output of ``env``."""
    sys.stderr.write(f"  {subject:<14} {progress}\n")
    sys.stderr.flush()


def show(line: str) -> None:
    """Write a line to stdout."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def show_progress(subject: str, progress: str) -> None:
    """Write a progress line to stdout."""
    show(f"  {subject:<12} {progress}")
