"""Starts the servers of the first lane, and installs what is missing.

``make test`` does so, too; CI does it beside ``make check``.
"""

import os
import sys

from infra.services import ServiceError, ensure
from infra.services.elasticsearch import QUICK_START


def main() -> int:
    os.environ |= QUICK_START
    try:
        ensure()
    except ServiceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
