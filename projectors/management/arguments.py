"""Arguments and output of commands about read models."""

from argparse import ArgumentParser
from collections.abc import Sequence

from django.core.management.base import CommandError
from rich.console import Console
from rich.table import Table

from projectors.generations.live import Live, NotReady
from projectors.registry import BY_NAME, MODELS
from projectors.storage.read_model import ReadModel
from projectors.verification.state import Verdict


def naming(parser: ArgumentParser, *, more: str = "") -> None:
    """Let the command line name read models."""
    parser.add_argument("name", nargs="*", metavar="NAME", help=", ".join(BY_NAME) + more)
    parser.add_argument("--all", action="store_true", help="every read model")


def find_model(name: str) -> type[ReadModel]:
    """The read model of this name; raises CommandError."""
    if name not in BY_NAME:
        raise CommandError(f"No read model is called {name}. There are: {', '.join(BY_NAME)}.")
    return BY_NAME[name]


def chosen(names: Sequence[str], *, is_all: bool, what: str) -> Sequence[type[ReadModel]]:
    """Those that were named, in the order of the registry; raises CommandError."""
    named = {find_model(name) for name in names}
    if bool(named) == is_all:
        raise CommandError(f"Name the read models to {what}, or give --all.")
    return [model for model in MODELS if is_all or model in named]


def open_live(model: type[ReadModel], live: Live) -> ReadModel:
    """The live generation of a model; raises CommandError."""
    try:
        return live.open(model)
    except NotReady as error:
        raise CommandError(error.advice) from error


def waiting(parser: ArgumentParser, what: str) -> None:
    """Let the command line say how long to wait."""
    parser.add_argument("--wait", type=float, default=0, metavar="SECONDS", help=what)


def print_line(line: str) -> None:
    """Print a line as it is."""
    Console().print(line, markup=False, highlight=False, soft_wrap=True)


def print_verdicts(verdicts: Sequence[Verdict]) -> None:
    """The first differences, a line each, and a table of all that was compared."""
    table = Table("read model", "generation", "shards", "events", "keys", "verdict")
    for verdict in verdicts:
        for line in verdict.lines:
            print_line(line)
        counts = (verdict.generation, verdict.shards, verdict.events, verdict.keys)
        table.add_row(verdict.model, *(f"{count:,}" for count in counts), verdict.summary)
    Console().print(table)
