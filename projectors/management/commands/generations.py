"""manage.py generations: list the generations of read models, switch to one, drop one."""

from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from events.store.generations import Generation, generations
from events.store.postgres import PostgresStore
from infra import clients
from infra.config import config
from projectors.generations.garbage_collector import StillNeeded, drop
from projectors.generations.pointers import Pointers, PointerSnapshot
from projectors.lag import events_behind
from projectors.management.arguments import find_model
from projectors.registry import BY_NAME
from projectors.storage.read_model import ReadModel

_ACTIONS = ("switch", "drop")
_PATIENCE_SECONDS = 10.0
_POLL_SECONDS = 0.1
_KEPT_FOR_SWITCH_SECONDS = 60.0
"""Longer than the patience and any delay before the switch."""


class Command(BaseCommand):
    help = (
        "Without arguments, or with a read model's name: list generations. switch NAME NUMBER"
        " makes another one live, at once. drop NAME NUMBER, or drop LABEL, removes one that is"
        " not live."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "words",
            nargs="*",
            metavar="[NAME | switch NAME NUMBER | drop NAME NUMBER | drop LABEL]",
            help=f"read models: {', '.join(BY_NAME)}",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        pointers = Pointers(clients.redis())
        match options["words"]:
            case []:
                _show(list(BY_NAME), pointers.snapshot())
            case ["switch", str(name), str(number)]:
                self._switch(_opened(name, number), pointers)
            case ["drop", str(name), str(number)]:
                self._drop(_opened(name, number), pointers)
            case ["drop", str(label)]:
                self._drop_past(label, pointers)
            case [str(name)] if name not in _ACTIONS:
                _show([find_model(name).name], pointers.snapshot())
            case _:
                raise CommandError("Unknown arguments: see --help.")

    def _switch(self, model: ReadModel, pointers: Pointers) -> None:
        name, number = model.name, model.generation
        _keep_for_switch(model, pointers)
        if missing := _wait_until_level(model):
            raise CommandError(
                f"{name} {number} is {missing:,} events behind and does not catch up:"
                " is a projector running?"
            )
        before = _keep_for_switch(model, pointers).live.get(name)
        pointers.switch({name: number})
        self.stdout.write(f"{name} {number} is live now; {before} is kept for a while.")

    def _drop(self, model: ReadModel, pointers: Pointers) -> None:
        pointers.leave(model.name, model.generation)  # a rebuild that ended may have left it
        try:
            keys = drop(model, pointers)
        except StillNeeded as error:
            raise CommandError(f"{error}.") from error
        self.stdout.write(f"{model.name} {model.generation} is dropped: {keys:,} keys.")

    def _drop_past(self, label: str, pointers: Pointers) -> None:
        numbers = {
            name: number for (of, name), number in pointers.snapshot().past.items() if of == label
        }
        if not numbers:
            raise CommandError(f"Nothing is kept as of {label}.")
        for name, number in numbers.items():
            self._drop(BY_NAME[name](clients.redis(), number), pointers)


def _opened(name: str, number: str) -> ReadModel:
    kind = find_model(name)
    known = {str(generation.number) for generation in generations([name])}
    if number not in known:
        raise CommandError(f"{name} has no generation {number}.")
    return kind(clients.redis(), int(number))


def _keep_for_switch(model: ReadModel, pointers: Pointers) -> PointerSnapshot:
    """Keep a generation until the switch; return the pointers.

    If this process is killed before, it is kept a little longer and then dropped as usual.
    """
    name, number = model.name, model.generation
    is_kept = pointers.keep_on(name, number, seconds=_KEPT_FOR_SWITCH_SECONDS)
    snapshot = pointers.snapshot()
    if snapshot.live.get(name) == number:
        raise CommandError(f"{name} {number} is live already.")
    if not is_kept and snapshot.joining.get(name) != number:
        raise CommandError(
            f"{name} {number} is not kept level any more, so it cannot be switched to."
            f" Rebuild instead: manage.py rebuild {name}"
        )
    return snapshot


def _wait_until_level(model: ReadModel) -> int:
    """Wait for the heads of this moment; return how many events are still missing."""
    heads = PostgresStore(config().partitions).heads()
    deadline = monotonic() + _PATIENCE_SECONDS
    while (missing := _missing(model, heads)) and monotonic() < deadline:
        sleep(_POLL_SECONDS)
    return missing


def _missing(model: ReadModel, heads: Sequence[int]) -> int:
    state, derived = events_behind(model, heads)
    return max(state, derived or 0)


def _show(names: Sequence[str], snapshot: PointerSnapshot) -> None:
    heads = PostgresStore(config().partitions).heads()
    table = Table("read model", "generation", "role", "version", "made", "events behind")
    for generation in generations(names):
        role = _role(generation, snapshot)
        if role is None:
            continue
        model = BY_NAME[generation.model](clients.redis(), generation.number)
        behind = "" if generation.purpose == "past" else f"{_missing(model, heads):,}"
        made = generation.made_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        table.add_row(
            generation.model, str(generation.number), role, f"v{generation.version}", made, behind
        )
    Console().print(table)


def _role(generation: Generation, snapshot: PointerSnapshot) -> str | None:
    """The role of a generation; None for one that was dropped."""
    name, number = generation.model, generation.number
    for role in ("live", "coming", "joining"):
        if getattr(snapshot, role).get(name) == number:
            return role
    if (until := snapshot.kept.get((name, number))) is not None:
        return f"kept until {datetime.fromtimestamp(until, UTC):%H:%M:%SZ}"
    for (label, other), of in snapshot.past.items():
        if (other, of) == (name, number):
            return f"as of {label} ({generation.until:%Y-%m-%d %H:%M:%SZ})"
    if generation.dropped_at is not None:
        return None
    return "unfinished rebuild" if generation.purpose != "live" else None
