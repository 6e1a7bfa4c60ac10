"""How can asking TMDb fail?

TmdbFault
├── NoKey         none is configured: nothing can be asked
├── WrongKey      it refused the key; not asked again before there is another, or a person asks
├── Away          again later: unreachable, slow, broken, or it limits for long
├── Gone          it has no such film (any more)
└── Unreadable    its answer lacks what we need; says of which film
"""


class TmdbFault(Exception):
    """Asking TMDb failed."""


class NoKey(TmdbFault):
    """Neither a token nor a key is configured."""

    def __init__(self) -> None:
        super().__init__(
            "TMDb can't be asked without a key: set MARQUEE_TMDB_TOKEN (or MARQUEE_TMDB_KEY)."
        )


class WrongKey(TmdbFault):
    """TMDb refused the key that is configured."""

    def __init__(self) -> None:
        super().__init__(
            "TMDb refuses the key: set MARQUEE_TMDB_TOKEN (or MARQUEE_TMDB_KEY) to a valid one."
            " Until then it is not asked again, except by manage.py sync_catalogue."
        )


class Away(TmdbFault):
    """Again later; ``seconds`` is how much later at the soonest, when that is known."""

    def __init__(self, why: str, *, seconds: float | None = None) -> None:
        super().__init__(why)
        self.seconds = seconds


class Resting(Away):
    """Everybody leaves TMDb alone for longer than one has patience."""


class Gone(TmdbFault):
    """TMDb has no such film (any more)."""


class Unreadable(TmdbFault):
    """The answer is JSON, but not what was documented."""
