"""manage.py simulate_community: how are lists filled before anybody has rated?"""

import time
from argparse import ArgumentTypeError
from collections import defaultdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from command_api.catalogue import models
from command_api.catalogue.movie_lookup import withdrawn_movies
from command_api.imports.base_command import ImportCommand
from command_api.imports.movielens_ratings import RatingImportCounts, append_ratings
from command_api.imports.ratings_sort import RatingsSorter
from command_api.imports.session import ImportSession
from command_api.imports.simulated_ratings import SimulationMovie, opinions, person_id

PEOPLE, MOST_PEOPLE = 300, 10_000


class Command(ImportCommand):
    """Run again at will: what was simulated once is not simulated again."""

    help = (
        "Ratings by simulated people of the movies that are in the catalogue, over the last two"
        " weeks. For a demonstration: nobody gave them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--people", type=_count, default=PEOPLE, help=f"how many (default {PEOPLE})"
        )

    def check_input(self, options: dict[str, Any]) -> None:
        if not models.Movie.objects.exists():
            raise CommandError("There are no movies to rate: run import_catalogue demo first.")

    def run_import(self, run: ImportSession, options: dict[str, Any]) -> None:
        people, withdrawn = options["people"], withdrawn_movies()
        # As a file's import does: who goes on after an interruption goes on with the same times.
        begun, _ = models.RatingsImport.objects.get_or_create(
            digest=f"simulated community of {people}", defaults={"shift_seconds": int(time.time())}
        )
        with RatingsSorter(run.store.partitions, who=person_id) as ratings:
            # Of all movies, so that the others' ratings are the same, whatever was withdrawn.
            said = opinions(_movies(), people)
            for opinion in filter(lambda opinion: opinion.film not in withdrawn, said):
                ratings.add(opinion, movie_id=opinion.film)
            counts = RatingImportCounts(read=len(ratings))
            append_ratings(ratings, counts, run, shift_seconds=begun.shift_seconds)
        self.stdout.write(
            f"{people} simulated people: {counts.imported + counts.rerated} ratings,"
            f" {counts.there} were there already"
        )


def _movies() -> list[SimulationMovie]:
    genres: dict[int, set[str]] = defaultdict(set)
    for movie, genre in models.MovieGenre.objects.values_list("movie", "genre").iterator():
        genres[movie].add(genre)
    casts: dict[int, list[str]] = defaultdict(list)
    billed = models.Casting.objects.order_by("movie", "billing")
    for movie, name in billed.values_list("movie", "person__name").iterator():
        casts[movie].append(name)
    rows = models.Movie.objects.order_by("pk").values_list("pk", "title", "year")
    return [
        SimulationMovie(movie, title, year, frozenset(genres[movie]), casts[movie])
        for movie, title, year in rows.iterator()
    ]


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_PEOPLE:
        raise ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST_PEOPLE}")
    return int(text)
