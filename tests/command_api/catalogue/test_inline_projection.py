"""Inline projection: tables written with the events and rebuilt from the log."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection

from command_api.catalogue import inline_projection, models
from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.decider import (
    AddMovie,
    DetailMovie,
    LinkMovie,
    MovieDetails,
    MovieFacts,
    stream_of,
)
from command_api.trends.decider import BoardState, ObserveTrend
from command_api.trends.handler import last_observation, observe
from events.catalogue import Credit, MovieAdded
from events.store.postgres import PostgresStore

HEAT, RONIN, ALI = (
    AddMovie(
        1,
        MovieFacts(
            title="Heat", year=1995, genres=("Crime",), cast=("Al Pacino", "Robert De Niro")
        ),
        (("wikipedia", "Heat_(1995_film)"),),
    ),
    AddMovie(2, MovieFacts(title="Ronin", year=1998, cast=("Robert De Niro",)), (("imdb", "tt2"),)),
    AddMovie(
        3, MovieFacts(title="Ali", year=None, genres=("Biography", "Drama"), overview="A life.")
    ),
)
NEW_HEAT = MovieFacts(
    title="Heat",
    year=1995,
    genres=("Drama", "Crime"),
    cast=("Val Kilmer",),
    directors=("Michael Mann", "Val Kilmer"),
    prominence=80,
)


class Racing(PostgresStore):
    """Runs a concurrent writer once, between read and append."""

    def __init__(self, partitions, rival):
        super().__init__(partitions)
        self._rivals = [rival]

    def versions(self, streams):
        """See EventStore."""
        versions = super().versions(streams)
        while self._rivals:
            self._rivals.pop()()
        return versions


def contents():
    """The tables' contents without generated ids."""
    movies = models.Movie.objects
    return [
        sorted(movies.values_list("id", "title", "overview", "poster_url", "status")),
        sorted(movies.exclude(year=None).values_list("id", "year")),
        sorted(models.MovieGenre.objects.values_list("movie", "place", "genre")),
        sorted(models.Casting.objects.values_list("movie", "billing", "person__name")),
        sorted(models.MovieDirector.objects.values_list("movie", "place", "person__name")),
        sorted(movies.exclude(prominence=None).values_list("id", "prominence")),
        sorted(models.ExternalId.objects.values_list("source", "value", "movie")),
        sorted(movies.exclude(runtime_minutes=None).values_list("id", "runtime_minutes")),
        sorted(movies.values_list("id", "title_key")),
        sorted(models.Credit.objects.values_list("movie", "place", "person__name", "job")),
        sorted(models.MovieKeyword.objects.values_list("movie", "place", "keyword")),
        sorted(models.Translation.objects.values_list("movie", "language", "title")),
        sorted(models.TrendObservation.objects.values_list("board", "observed_at")),
        sorted(models.TrendEntry.objects.values_list("board", "rank", "movie")),
    ]


DETAILS = MovieDetails(
    original_title="Heat",
    original_language="en",
    released_on=date(1995, 12, 15),
    runtime_minutes=170,
    crew=(Credit("Michael Mann", "Director"), Credit("Michael Mann", "Writer")),
    keywords=("heist", "los angeles"),
    titles=frozenset({("fr", "Heat")}),
)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def observe_board(store, origin, *movies, at=NOON):
    command = ObserveTrend(board="tmdb-day", source="tmdb", window="day", movies=movies, at=at)
    return observe(command, store, origin=origin)


def test_tables_hold_details_beyond_the_card(handle_commands):
    handle_commands(HEAT, RONIN)
    handle_commands(DetailMovie(1, DETAILS), DetailMovie(2, MovieDetails(keywords=("heist",))))
    states = inline_projection.movie_states([1, 2])
    assert states[1].details == DETAILS
    assert states[2].details == MovieDetails(keywords=("heist",))
    handle_commands(DetailMovie(1, MovieDetails(runtime_minutes=171)))
    assert inline_projection.movie_states([1])[1].details == MovieDetails(runtime_minutes=171)


def test_tables_hold_the_last_observation_of_a_board(handle_commands, store, origin):
    handle_commands(HEAT, RONIN, ALI)
    observe_board(store, origin, 1, 2, 3)
    observe_board(store, origin, 3, 1, at=NOON + timedelta(minutes=15))
    assert last_observation("tmdb-day") == BoardState((3, 1), NOON + timedelta(minutes=15))
    assert last_observation("tmdb-week") == BoardState()


def test_unchanged_board_is_no_event(handle_commands, store, origin):
    handle_commands(HEAT, RONIN)
    assert len(observe_board(store, origin, 1, 2)) == 1
    assert observe_board(store, origin, 1, 2, at=NOON + timedelta(minutes=15)) == ()
    midnight = NOON + timedelta(hours=12)
    assert len(observe_board(store, origin, 1, 2, at=midnight)) == 1
    assert observe_board(store, origin, 1, 2, at=midnight + timedelta(minutes=15)) == ()


def test_tables_equal_the_state_folded_from_the_log(handle_commands, store):
    handle_commands(HEAT, RONIN, ALI)
    handle_commands(AddMovie(1, NEW_HEAT), LinkMovie(1, "imdb", "tt1"))
    movie = inline_projection.movie_states([1, 2, 99])
    assert movie.keys() == {1, 2}
    assert movie[1].facts == NEW_HEAT
    assert movie[1].external_ids == {("wikipedia", "Heat_(1995_film)"), ("imdb", "tt1")}
    assert movie[2].facts == RONIN.facts
    assert [recorded.version for recorded in store.read(stream_of(1))] == [1, 2, 3]


def test_person_in_two_movies_is_one_row(handle_commands):
    handle_commands(HEAT, RONIN)
    [de_niro] = models.Person.objects.filter(name="Robert De Niro")
    assert sorted(movie.title for movie in de_niro.movies.all()) == ["Heat", "Ronin"]


def test_one_batch_adds_and_describes_the_same_movie(handle_commands):
    handle_commands(HEAT, AddMovie(1, NEW_HEAT), AddMovie(1, NEW_HEAT, (("imdb", "tt1"),)))
    assert inline_projection.movie_states([1])[1].facts == NEW_HEAT


def test_tables_rebuilt_from_the_log_are_identical(handle_commands, store, origin):
    handle_commands(HEAT, RONIN, ALI)
    handle_commands(
        AddMovie(1, NEW_HEAT), LinkMovie(3, "movielens", "3"), LinkMovie(3, "movielens", "4")
    )
    handle_commands(DetailMovie(1, DETAILS))
    observe_board(store, origin, 1, 2)
    observe_board(store, origin, 2, at=NOON + timedelta(minutes=15))
    before = contents()
    models.Movie.objects.filter(pk=2).update(title="tampered with")
    models.Person.objects.filter(name="Val Kilmer").update(name="Nobody")
    models.ExternalId.objects.filter(movie=3).delete()
    connection.check_constraints()  # otherwise they wait for the end of the test's transaction
    assert inline_projection.rebuild(store) == 9
    assert contents() == before


def test_failed_batch_leaves_tables_and_log_unchanged(handle_commands, store):
    handle_commands(HEAT, RONIN)
    with pytest.raises(IntegrityError):
        handle_commands(ALI, LinkMovie(1, "imdb", "tt2"))  # the id belongs to Ronin
    assert inline_projection.movie_states([3]) == {}
    assert store.read(stream_of(3)) == []
    assert len(store.read(stream_of(1))) == 1


def test_wikipedia_page_may_belong_to_several_movies(handle_commands):
    page = ("wikipedia", "The_Cremaster_Cycle")
    handle_commands(AddMovie(1, MovieFacts(title="One", year=1995), (page,)))
    handle_commands(AddMovie(2, MovieFacts(title="Two", year=1999), (page,)))
    assert models.ExternalId.objects.filter(value="The_Cremaster_Cycle").count() == 2


def test_bulk_handler_decides_again_after_a_concurrent_write(handle_commands, store, origin):
    [events] = handle_all(
        [AddMovie(1, NEW_HEAT)],
        Racing(store.partitions, lambda: handle_commands(HEAT)),
        origin=origin,
    )
    assert [type(event).__name__ for event in events] == ["MovieDescribed"]
    [first, second] = store.read(stream_of(1))
    assert isinstance(first.event, MovieAdded)
    assert second.version == 2
