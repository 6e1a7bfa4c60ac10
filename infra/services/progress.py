"""Progress lines of servers and processes that start."""

import sys


def say(subject: str, news: str) -> None:
    """Write a line to stderr: stdout is for the output of ``env``."""
    sys.stderr.write(f"  {subject:<14} {news}\n")
    sys.stderr.flush()


def show(line: str) -> None:
    """Write a line to stdout."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def show_news(subject: str, news: str) -> None:
    """Write news of a process to stdout."""
    show(f"  {subject:<12} {news}")
