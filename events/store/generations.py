"""Which numbers have been given to the generations of a read model, and what became of them?"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

from django.db import connections, transaction

from infra.advisory_lock import transaction_lock, try_session_lock

Purpose: TypeAlias = Literal["live", "rebuild", "past"]
"""Made by a worker that found none, by a rebuild to take over, or to be a moment of the past."""


class Generation(NamedTuple):
    """A number that was given."""

    model: str
    number: int
    version: int
    """Of the read model's code that made it."""
    purpose: Purpose
    label: str | None
    until: datetime | None
    """The moment of the past that it shows."""
    made_at: datetime
    finished_at: datetime | None
    """When it was ready to answer."""
    dropped_at: datetime | None


class RebuildInProgress(Exception):
    """Another rebuild of the model is at work."""

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self.model = model


_COLUMNS = "model, number, version, purpose, label, until, made_at, finished_at, dropped_at"
_REBUILDS = 0x4D52424C  # "MRBL"


def new_generation(
    model: str,
    *,
    version: int,
    purpose: Purpose = "live",
    label: str | None = None,
    until: datetime | None = None,
    alias: str = "default",
) -> int:
    """A number that no generation of the model ever had or will have."""
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        # Two workers that start together must not get one number: the second waits for the first.
        transaction_lock(cursor, ("generations", model))
        cursor.execute(
            "INSERT INTO generations (model, number, version, purpose, label, until)"
            " SELECT %s, coalesce(max(number), 0) + 1, %s, %s, %s, %s"
            " FROM generations WHERE model = %s RETURNING number",
            [model, version, purpose, label, until, model],
        )
        return int(cursor.fetchone()[0])


def version_of(model: str, number: int, *, alias: str = "default") -> int | None:
    """The version of the read model's code that a generation was made by."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT version FROM generations WHERE model = %s AND number = %s", [model, number]
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None


def generations(models: Iterable[str], *, alias: str = "default") -> Sequence[Generation]:
    """All that were ever made of these models, by model and number."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM generations WHERE model = ANY(%s)"  # noqa: S608 - constants
            " ORDER BY model, number",
            [list(models)],
        )
        return [Generation(*row) for row in cursor.fetchall()]


def unfinished(
    model: str,
    *,
    version: int,
    purpose: Purpose,
    label: str | None = None,
    until: datetime | None = None,
    alias: str = "default",
) -> int | None:
    """The newest one that somebody began for this purpose and did not get ready, if any."""
    for found in reversed(generations([model], alias=alias)):
        if (
            (found.version, found.purpose, found.label, found.until)
            == (version, purpose, label, until)
            and found.finished_at is None
            and found.dropped_at is None
        ):
            return found.number
    return None


def mark_finished(model: str, number: int, *, alias: str = "default") -> None:
    """It is ready to answer."""
    _note("finished_at", model, number, alias)


def mark_dropped(model: str, number: int, *, alias: str = "default") -> None:
    """Nothing of it is needed any more."""
    _note("dropped_at", model, number, alias)


def _note(
    column: Literal["finished_at", "dropped_at"], model: str, number: int, alias: str
) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(
            f"UPDATE generations SET {column} = coalesce({column}, now())"  # noqa: S608 - constants
            " WHERE model = %s AND number = %s",
            [model, number],
        )


@contextmanager
def rebuild_lock(models: Iterable[str], *, alias: str = "default") -> Iterator[None]:
    """Hold the rebuild lock of these models; raises RebuildInProgress.

    A session of its own holds it: Django closes shared connections after database faults.
    """
    with ExitStack() as stack:
        connection: Any = connections.create_connection(alias)
        stack.callback(connection.close)
        cursor = stack.enter_context(connection.cursor())
        for model in sorted(models):
            if not try_session_lock(cursor, (_REBUILDS, model)):
                raise RebuildInProgress(model)
        yield
