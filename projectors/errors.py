"""Errors of event processing, by what the worker does next.

    ProjectorError
    ├── RetryLater      the environment failed: try the same event again after a back-off
    ├── PoisonEvent     the event can never be applied: park it with the rest of its stream
    └── StopProjector   the code does not fit the log: stop, so that a person looks

Projections are pure: the same event always has the same outcome. So every other exception that one
raises counts as a PoisonEvent, whatever its type. Only ``TRANSIENT_ERRORS`` are retried: the lag
shows them, and no event is skipped.
"""

from django.db import Error as DatabaseError
from redis.exceptions import RedisError


class ProjectorError(Exception):
    """An event could not be applied."""


class RetryLater(ProjectorError):
    """Something that the event needs is unavailable or not there yet."""


class PoisonEvent(ProjectorError):
    """The event fails each time it is applied."""


class StopProjector(ProjectorError):
    """The program does not fit the log."""


TRANSIENT_ERRORS = (RedisError, DatabaseError, OSError, MemoryError, RetryLater)
"""Faults of the environment; they pass."""
