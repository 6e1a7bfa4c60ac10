"""Data directory: its lock, its layout version, and the free space it needs."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from infra.services.errors import InUse, NotUsable

LAYOUT = 1
"""Version of the directory's layout, raised when older ones can't be used.
Migrations and read models have their own versions."""

NEEDED_BYTES = 1_000_000_000
"""A first start writes half of that: log, read models and index."""

LOCK, LAYOUT_FILE = "lock", "layout"


@contextmanager
def owned(directory: Path) -> Iterator[None]:
    """Lock a data directory during the block; the lock also ends with the process.

    Raises InUse; NotUsable for a foreign, read-only or full directory, or another layout.
    """
    with ExitStack() as stack:
        try:
            lock = stack.enter_context((directory / LOCK).open("a+"))
            _lock(lock, directory)
            _check_layout(directory)
            _check_free_space(directory)
        except OSError as error:
            raise NotUsable(
                f"{error.filename or directory}: {error.strerror}."
                " Use another directory: make run DATA=DIR"
            ) from error
        yield


def wipe(directory: Path) -> None:
    """Delete everything but the lock and the layout version."""
    for path in directory.iterdir():
        if path.name in {LOCK, LAYOUT_FILE}:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _lock(lock: IO[str], directory: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise InUse(
            f"The platform runs on {directory} already, as process {lock.read().strip() or '?'}."
            "\nStop it, or run a second one beside it: make run DATA=DIR PORT=9000"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()


def _check_layout(directory: Path) -> None:
    path = directory / LAYOUT_FILE
    if not path.exists():
        others = sorted(child.name for child in directory.iterdir() if child.name != LOCK)
        if others:
            raise NotUsable(
                f"{directory} holds something else: {', '.join(others[:5])}."
                " Use another directory: make run DATA=DIR"
            )
        path.write_text(json.dumps({"layout": LAYOUT}))
    layout = _read_layout(path)
    if layout != LAYOUT:
        raise NotUsable(
            f"{directory} was made by {'a newer' if layout > LAYOUT else 'an older'} version of the"
            f" platform (layout {layout}, this one uses {LAYOUT}). Start it with that version and"
            " export the log with ./manage.py events export, or use another directory:"
            " make run DATA=DIR"
        )


def _read_layout(path: Path) -> int:
    try:
        return int(json.loads(path.read_bytes())["layout"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotUsable(
            f"{path} can't be read: {error}. Use another directory: make run DATA=DIR"
        ) from error


def _check_free_space(directory: Path) -> None:
    free = shutil.disk_usage(directory).free
    if free < NEEDED_BYTES:
        raise NotUsable(
            f"{directory} has {free // 1_000_000} MB of room, and {NEEDED_BYTES // 1_000_000} MB"
            " are needed. Another disk: make run DATA=DIR"
        )
