"""What becomes of an event that can't be applied?

    Fate
    ├── AgainLater   the world is at fault: the same event, in place, after a while
    ├── NeverApply   the event is at fault: it, and what follows in its stream, is set aside
    └── Stop         we are at fault: everything would fail, so nothing more is tried

What an event means is worked out by pure code: the same event, the same outcome. So any fault that
comes out of there is a NeverApply, whatever its type, and ``AWAY`` are those that are not the
event's: again later. Lag shows it, and no event is passed over.
"""

from django.db import Error as DatabaseError
from redis.exceptions import RedisError


class Fate(Exception):
    """Why an event could not be applied."""


class AgainLater(Fate):
    """Something that the event needs is away or not there yet."""


class NeverApply(Fate):
    """No retry will ever help with this event."""


class Stop(Fate):
    """The program does not fit the log: go no further, let a person look."""


AWAY = (RedisError, DatabaseError, OSError, MemoryError, AgainLater)
"""Faults of the world, which pass."""
