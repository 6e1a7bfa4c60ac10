"""Base class of all events."""

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """A fact, named in the past tense. Stored by its tag (``movie-rated.v1``), never the class."""
