"""Matching of MovieLens 100K against a sample checked by hand."""

from collections import Counter

import pytest

from command_api.imports.catalogue_file import parse
from command_api.imports.line_warnings import RejectedLines
from command_api.imports.movielens_formats import find
from command_api.imports.movielens_matching import MovieLensMatcher
from command_api.imports.movielens_reader import films
from infra import line_reader
from tests.command_api.imports.sample import ML_100K, ROOT, expected_matches

DEMO = ROOT / "command_api" / "catalogue" / "demo" / "catalogue.jsonl.gz"


@pytest.fixture(scope="module")
def demo():
    """The demo catalogue: title and year by id."""
    movies = (parse(line.content, Counter()) for line in line_reader.read(DEMO))
    return {movie.movie_id: (movie.facts.title, movie.facts.year) for movie in movies}


def test_sample_of_matches_fits_the_demo_catalogue(demo):
    rows = expected_matches()
    assert len(rows) == len({row.movielens_id for row in rows}) >= 200
    for row in rows:
        if row.movie_id is None:
            assert (row.wanted, row.title) == ("add", "")
        else:
            assert demo[row.movie_id] == (row.title, int(row.year))


@pytest.mark.skipif(not ML_100K.is_dir(), reason=f"no MovieLens in {ML_100K}")
def test_every_sampled_film_is_matched_correctly(demo):
    matcher = MovieLensMatcher(next_id=1_000_001)
    for movie_id, (title, year) in demo.items():
        matcher.add(movie_id, title, year)
    sample = list(films(find(ML_100K), RejectedLines("films"), Counter()))
    for film in sample:
        matcher.expect(film, {})
    matches = {film.movielens_id: matcher.match(film, {}).movie_id for film in sample}
    wrong = [
        (row, movie_id)
        for row in expected_matches()
        if not row.is_right(movie_id if (movie_id := matches[row.movielens_id]) in demo else None)
    ]
    assert wrong == []
