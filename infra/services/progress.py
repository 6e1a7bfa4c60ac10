"""Progress lines on stderr."""

import sys


def say(subject: str, news: str) -> None:
    """Write a line to stderr: stdout is for the output of ``env``."""
    sys.stderr.write(f"  {subject:<14} {news}\n")
    sys.stderr.flush()
