"""Registry of read-model generations: numbers, purposes and states; and the rebuild lock."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

from django.db import connection, connections, transaction

from infra.advisory_lock import transaction_lock, try_session_lock

Purpose: TypeAlias = Literal["live", "rebuild", "past"]
"""Made by a worker that found none, by a rebuild, or to show a moment of the past."""


class Generation(NamedTuple):
    """A registered generation."""

    model: str
    number: int
    version: int
    """The version of the read model's code that made it."""
    purpose: Purpose
    label: str | None
    until: datetime | None
    """The moment it shows, if of the past."""
    made_at: datetime
    finished_at: datetime | None
    """When it was ready to serve."""
    dropped_at: datetime | None


class RebuildInProgress(Exception):
    """Another rebuild of the model is running."""

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self.model = model


_COLUMNS = "model, number, version, purpose, label, until, made_at, finished_at, dropped_at"
_REBUILD_LOCKS = 0x4D52424C  # "MRBL"


def new_generation(
    model: str,
    *,
    version: int,
    purpose: Purpose = "live",
    label: str | None = None,
    until: datetime | None = None,
) -> int:
    """Register a new generation; returns its number, which is never used again."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Two workers that start together must not get the same number: the second waits.
        transaction_lock(cursor, ("generations", model))
        cursor.execute(
            "INSERT INTO generations (model, number, version, purpose, label, until)"
            " SELECT %s, coalesce(max(number), 0) + 1, %s, %s, %s, %s"
            " FROM generations WHERE model = %s RETURNING number",
            [model, version, purpose, label, until, model],
        )
        return int(cursor.fetchone()[0])


def version_of(model: str, number: int) -> int | None:
    """The version of the code that made a generation."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT version FROM generations WHERE model = %s AND number = %s", [model, number]
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None


def generations(models: Iterable[str]) -> Sequence[Generation]:
    """All generations ever registered of these models, by model and number."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM generations WHERE model = ANY(%s)"  # noqa: S608 - constants
            " ORDER BY model, number",
            [list(models)],
        )
        return [Generation(*row) for row in cursor.fetchall()]


def mark_finished(model: str, number: int) -> None:
    """Note that a generation is ready to serve."""
    _set_timestamp("finished_at", model, number)


def mark_dropped(model: str, number: int) -> None:
    """Note that a generation was dropped."""
    _set_timestamp("dropped_at", model, number)


def _set_timestamp(column: Literal["finished_at", "dropped_at"], model: str, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE generations SET {column} = coalesce({column}, now())"  # noqa: S608 - constants
            " WHERE model = %s AND number = %s",
            [model, number],
        )


@contextmanager
def rebuild_lock(models: Iterable[str]) -> Iterator[None]:
    """Hold the rebuild lock of these models; raises RebuildInProgress.

    A session of its own holds it: Django closes shared connections after database faults.
    """
    with ExitStack() as stack:
        own: Any = connections.create_connection("default")
        stack.callback(own.close)
        cursor = stack.enter_context(own.cursor())
        for model in sorted(models):
            if not try_session_lock(cursor, (_REBUILD_LOCKS, model)):
                raise RebuildInProgress(model)
        yield
