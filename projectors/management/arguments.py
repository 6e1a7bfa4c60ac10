"""Arguments of commands that name read models."""

from argparse import ArgumentParser
from collections.abc import Sequence

from django.core.management.base import CommandError

from projectors.registry import BY_NAME, MODELS
from projectors.storage.read_model import ReadModel


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
    found = {find_model(name) for name in names}
    if bool(found) == is_all:
        raise CommandError(f"Name the read models to {what}, or give --all.")
    return [model for model in MODELS if is_all or model in found]
