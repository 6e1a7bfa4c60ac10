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
        made = [access_tokens.mint_access(uuid4(), uuid4(), 0) for _ in range(TOKENS)]
        headers = [f"Bearer {token}" for token in made]

        def bare(token: str) -> object:
            return jwt.decode(
                token,
                key,
                algorithms=[access_tokens.ALGORITHM],
                issuer=config().issuer,
                audience=config().audience,
            )

        calibrated = _median_us(bare, made)
        first = _median_us(access_tokens.bearer, headers)
        # New strings of equal content, as each request has its own.
        again = _median_us(access_tokens.bearer, [f"Bearer {token}" for token in made] * ROUNDS)
        sys.stdout.write(f"{again} {calibrated} {first}\n")


def _median_us(verify: Callable[[str], object], tokens: Sequence[str]) -> float:
    taken = []
    for one in tokens:
        begun = perf_counter()
        verify(one)
        taken.append(perf_counter() - begun)
    return median(taken) * 1e6


if __name__ == "__main__":
    main()
