"""manage.py restore_movie: show a withdrawn movie again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from command_api.catalogue.decider import RestoreMovie
from command_api.management.commands.withdraw_movie import run


class Command(BaseCommand):
    help = "Show a withdrawn movie again, with its ratings, favourites and playlist entries."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("movie", metavar="ID", type=int, help="the movie's id")

    def handle(self, *_args: object, **options: Any) -> None:
        already = run(RestoreMovie(options["movie"]))
        self.stdout.write(f"movie {options['movie']} is shown{already}")
