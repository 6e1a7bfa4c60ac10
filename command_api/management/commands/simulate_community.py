"""manage.py simulate_community: fill the lists with ratings of simulated people."""

import time
from argparse import ArgumentTypeError
from collections import defaultdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from command_api.catalogue import models
from command_api.catalogue.movie_lookup import withdrawn_movies
from command_api.imports.base_command import ImportCommand
from command_api.imports.movielens_ratings import RatingImportCounts, append_ratings
from command_api.imports.ratings_sort import RatingsSorter, TimeShift
from command_api.imports.session import ImportSession
from command_api.imports.simulated_ratings import SimulationMovie, person_id, simulate

PEOPLE, MOST_PEOPLE = 300, 10_000


class Command(ImportCommand):
    """Idempotent: running it again adds nothing."""

    help = (
        "Append ratings of simulated people, over the last two weeks, for the movies of the"
        " catalogue. For demonstrations only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--people", type=_count, default=PEOPLE, help=f"number of people (default {PEOPLE})"
        )

    def check_input(self, options: dict[str, Any]) -> None:
        if not models.Movie.objects.exists():
            raise CommandError("There are no movies to rate: run import_catalogue demo first.")

    def run_import(self, session: ImportSession, options: dict[str, Any]) -> None:
        people, withdrawn = options["people"], withdrawn_movies()
        # A run that resumes an interrupted one uses the same times, as the import of a file does.
        first, _ = models.RatingsImport.objects.get_or_create(
            digest=f"simulated community of {people}", defaults={"shift_seconds": int(time.time())}
        )
        with RatingsSorter(session.store.partitions, id_of=person_id) as sorter:
            # Simulate all movies: ratings of the others must not depend on what is withdrawn.
            for rating in simulate(_movies(), people):
                if rating.film not in withdrawn:
                    sorter.add(rating, movie_id=rating.film)
            counts = RatingImportCounts(read=len(sorter))
            append_ratings(sorter, counts, session, TimeShift(first.shift_seconds))
        self.stdout.write(
            f"{people} simulated people: {counts.imported + counts.rerated} ratings,"
            f" {counts.already_there + counts.outdated} were there already"
        )


def _movies() -> list[SimulationMovie]:
    genres: dict[int, set[str]] = defaultdict(set)
    for movie, genre in models.MovieGenre.objects.values_list("movie", "genre").iterator():
        genres[movie].add(genre)
    casts: dict[int, list[str]] = defaultdict(list)
    billed = models.Casting.objects.order_by("movie", "billing")
    for movie, name in billed.values_list("movie", "person__name").iterator():
        casts[movie].append(name)
    rows = models.Movie.objects.order_by("pk").values_list("pk", "title", "year", "prominence")
    return [
        SimulationMovie(movie, title, year, frozenset(genres[movie]), casts[movie], prominence or 0)
        for movie, title, year, prominence in rows.iterator()
    ]


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_PEOPLE:
        raise ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST_PEOPLE}")
    return int(text)
