"""Search projection: changes by movie, and the document."""

from uuid import UUID

from events.catalogue import (
    MovieAdded,
    MovieDescribed,
    MovieDetailed,
    MovieLinked,
    MovieRated,
    RatingWithdrawn,
    SessionsRevoked,
)
from projectors.read_models.search.projection import (
    DocumentChange,
    ExtendedDetails,
    SearchableDetails,
    document,
    document_changes,
)

ANN = UUID(int=1)
ALIEN = 7


def test_votes_and_scores_add_up():
    changes = document_changes(
        [
            MovieRated(user_id=ANN, movie_id=ALIEN, score=6),
            MovieRated(user_id=ANN, movie_id=ALIEN, score=9, previous=6),
            MovieRated(user_id=ANN, movie_id=8, score=3),
            RatingWithdrawn(user_id=ANN, movie_id=8, previous=3),
        ]
    )
    assert changes == {
        ALIEN: DocumentChange(events=2, rated=True, votes=1, total=9),
        8: DocumentChange(events=2, rated=True, votes=0, total=0),
    }


def test_last_description_wins():
    changes = document_changes(
        [
            MovieAdded(movie_id=ALIEN, title="Alein", year=1978),
            MovieDescribed(movie_id=ALIEN, title="Alien", year=1979, genres=("Horror",)),
        ]
    )
    assert changes == {
        ALIEN: DocumentChange(
            events=2, details=SearchableDetails(title="Alien", year=1979, genres=("Horror",))
        )
    }


def test_unknown_prominence_is_none_in_the_document():
    [change] = document_changes([MovieAdded(movie_id=ALIEN, title="Alien", year=1979)]).values()
    assert change.details is not None
    assert document(ALIEN, change.details, votes=0, total=0)["prominence"] == 0


def test_last_extended_details_win():
    changes = document_changes(
        [
            MovieDetailed(movie_id=ALIEN, runtime_minutes=90, keywords=("dog",)),
            MovieDetailed(movie_id=ALIEN, keywords=("cat",)),
        ]
    )
    assert changes == {
        ALIEN: DocumentChange(events=2, long=ExtendedDetails(crew=(), keywords=("cat",), titles={}))
    }


def test_unrelated_event_changes_no_document():
    assert (
        document_changes(
            [
                MovieLinked(movie_id=ALIEN, source="imdb", external_id="tt0078748"),
                SessionsRevoked(user_id=ANN, epoch=1),
            ]
        )
        == {}
    )


def test_document_has_all_fields():
    details = SearchableDetails(
        title="The Amélie",
        year=None,
        genres=("Romance",),
        cast=("Audrey Tautoú",),
        directors=("Jean-Pierre Jeunet", "Audrey Tautoú"),
        prominence=70,
    )
    assert document(ALIEN, details, votes=4, total=30) == {
        "id": ALIEN,
        "title": "The Amélie",
        "words": "the amelie",
        "exact": "the amelie",
        "bare": "amelie",
        "whole": ["theamelie", "amelie"],
        "compounds": "",
        "cast": ["audrey tautou", "jean pierre jeunet"],
        "people": ["audrey tautou", "jean pierre jeunet"],
        "genres": ["Romance"],
        "year": None,
        "votes": 4,
        "average": 7.5,
        "prominence": 70,
    }


def test_document_stores_extended_details():
    details = SearchableDetails(title="Alien", year=1979)
    plain = document(ALIEN, details, votes=0, total=0)
    long = ExtendedDetails(runtime_minutes=117, crew=(), keywords=("cat",), titles={})
    assert document(ALIEN, details, long, votes=0, total=0) == plain | {
        "details": {"runtime_minutes": 117, "crew": [], "keywords": ["cat"], "titles": {}}
    }
