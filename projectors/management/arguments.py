"""Arguments of commands that name read models."""

from argparse import ArgumentParser
from collections.abc import Sequence

from django.core.management.base import CommandError

from projectors.registry import MODELS
from projectors.storage.read_model import ReadModel


def naming(parser: ArgumentParser, *, more: str = "") -> None:
    """Let the command line name read models."""
    names = ", ".join(model.name for model in MODELS)
    parser.add_argument("name", nargs="*", metavar="NAME", help=names + more)
    parser.add_argument("--all", action="store_true", help="every read model")


def chosen(names: Sequence[str], *, is_all: bool, what: str) -> Sequence[type[ReadModel]]:
    """Those that were named, in the order of the registry; raises CommandError."""
    known = {model.name for model in MODELS}
    if unknown := set(names) - known:
        raise CommandError(
            f"No read model is called {', '.join(sorted(unknown))}."
            f" There are: {', '.join(sorted(known))}."
        )
    if bool(names) == is_all:
        raise CommandError(f"Name the read models to {what}, or say --all.")
    return [model for model in MODELS if is_all or model.name in names]
