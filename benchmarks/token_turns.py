"""Measuring process of access-token verification; started by benchmarks.tokens.

Prints a line for each turn, in microseconds: of tokens seen before, of bare PyJWT, of new tokens.
Every request with a token pays this cost.
"""

import os
import sys
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from uuid import uuid4

import django
import jwt

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")
django.setup()

from infra.config import config  # noqa: E402 - Django first
from infra.security import access_tokens  # noqa: E402 - Django first

TURNS = 5
TOKENS = 1000
ROUNDS = 20


def main() -> None:
    """Measure all three in each turn, so that noise affects all."""
    key = access_tokens.ring().signing()[1].public_key()
    for _ in range(TURNS):
        tokens = [access_tokens.mint_access(uuid4(), uuid4(), 0) for _ in range(TOKENS)]
        headers = [f"Bearer {token}" for token in tokens]

        def bare(token: str) -> object:
            return jwt.decode(
                token,
                key,
                algorithms=[access_tokens.ALGORITHM],
                issuer=config().issuer,
                audience=config().audience,
            )

        calibrated = _median_us(bare, tokens)
        first = _median_us(access_tokens.bearer, headers)
        # New strings of equal content, as each request has its own.
        last_median = _median_us(
            access_tokens.bearer, [f"Bearer {token}" for token in tokens] * ROUNDS
        )
        sys.stdout.write(f"{last_median} {calibrated} {first}\n")


def _median_us(verify: Callable[[str], object], tokens: Sequence[str]) -> float:
    timings = []
    for one in tokens:
        started_at = perf_counter()
        verify(one)
        timings.append(perf_counter() - started_at)
    return median(timings) * 1e6


if __name__ == "__main__":
    main()
