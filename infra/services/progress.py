"""Progress lines on stderr."""

import sys


def say(subject: str, news: str) -> None:
    """One line on stderr, so that stdout stays free for ``env``."""
    sys.stderr.write(f"  {subject:<14} {news}\n")
    sys.stderr.flush()
