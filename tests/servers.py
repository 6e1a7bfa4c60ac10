"""Starts the servers of the first lane, and installs what is missing.

``make test`` begins with it; CI runs it beside ``make check``.
"""

import os
import sys

from infra.services import ServiceError, ensure
from infra.services.elasticsearch import QUICK_START


def main() -> int:
    """Exit status 1 if a server could not be started."""
    os.environ |= QUICK_START
    try:
        ensure()
    except ServiceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
