"""Do the demo catalogue and MovieLens 100K come in as they should?

The ratings may not be redistributed, so they are read from where they are: RATINGS, or a folder
``shared`` beside the checkout.
"""

import os
from pathlib import Path

import pytest

from command_api.catalogue.models import Casting, ExternalId, Movie
from command_api.imports.films import MOVIELENS

ROOT = Path(__file__).parents[3]
ML_100K = Path(os.environ.get("RATINGS") or ROOT.parent / "shared" / "data" / "ml-100k")


@pytest.fixture
def demo(command):
    """The demo catalogue, imported."""
    return command("import_catalogue", "demo")


@pytest.mark.slow
def test_the_demo_catalogue_comes_in_whole(demo):
    assert demo == "read 36273, added 36273, changed 0, unchanged 0, broken 0\n"
    assert Movie.objects.count() == 36_273
    assert Casting.objects.filter(movie__title="Heat", movie__year=1995).count() == 10
    assert ExternalId.objects.filter(source="wikipedia").count() == 34_540


@pytest.mark.slow
@pytest.mark.skipif(not (ML_100K / "ratings.csv").is_file(), reason=f"no MovieLens in {ML_100K}")
def test_movielens_100k_comes_in_whole(demo, command):
    said = command("import_movielens", ML_100K)
    assert said.startswith(
        "ratings: read 100000, imported 99693, re-rated 307, already there 0, broken 0 ("
    )
    assert said.splitlines()[1] == (
        "films: read 1682, matched 1152, added 512, doubles 18, already there 0, broken 0;"
        " ambiguous 1, ids of another movie 0"
    )
    assert ExternalId.objects.filter(source=MOVIELENS).count() == 1682
    assert Movie.objects.count() == 36_273 + 512
    again = command("import_movielens", ML_100K)
    assert again.startswith("ratings: read 100000, imported 0, re-rated 0, already there 100000,")
