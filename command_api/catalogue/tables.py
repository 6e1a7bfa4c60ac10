"""What do a movie's events put into the tables, and what do the tables say of it?"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, transaction

from command_api.catalogue import models
from command_api.catalogue.decider import Facts, Movie
from events.catalogue import MovieAdded, MovieDescribed, MovieEvent, MovieLinked
from events.store import EventStore

_PAGE = 1000

# A statement a table and batch, a parameter a column: three times as fast as model instances.
_MOVIES = """
INSERT INTO movies (id, title, year, overview, poster_url, status)
SELECT *, 'listed' FROM unnest(%s::integer[], %s::text[], %s::smallint[], %s::text[], %s::text[])
ON CONFLICT (id) DO UPDATE SET title = excluded.title, year = excluded.year,
    overview = excluded.overview, poster_url = excluded.poster_url
"""
_GENRES = "INSERT INTO genres (name) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
_MOVIE_GENRES = """
INSERT INTO movie_genres (movie_id, place, genre_id)
SELECT * FROM unnest(%s::integer[], %s::smallint[], %s::text[])
"""
# The names come in order, so that two who add the same people do not wait in a ring.
_PEOPLE = "INSERT INTO people (name) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
_CASTINGS = """
INSERT INTO castings (movie_id, billing, person_id)
SELECT movie, billing, people.id
FROM unnest(%s::integer[], %s::smallint[], %s::text[]) AS new (movie, billing, name)
JOIN people USING (name)
"""
_EXTERNAL_IDS = """
INSERT INTO external_ids (movie_id, source, value)
SELECT * FROM unnest(%s::integer[], %s::text[], %s::text[])
"""


def apply(events: Sequence[MovieEvent]) -> None:
    """Bring the tables up to the events, which are given in order for each movie.

    Belongs into the transaction that appends them, before the append: rows are locked in order of
    id, and then the log's counters.
    """
    described = {
        event.movie_id: event for event in events if isinstance(event, MovieAdded | MovieDescribed)
    }
    facts = [described[movie_id] for movie_id in sorted(described)]
    _put_movies(facts)
    _clear_details([event.movie_id for event in facts if isinstance(event, MovieDescribed)])
    _put_genres(facts)
    _put_cast(facts)
    _put_external_ids(events)


def movies(movie_ids: Collection[int]) -> dict[int, Movie]:
    """The movies that are there, as the rules know them."""
    genres = _names_in_order(
        models.MovieGenre.objects.filter(movie__in=movie_ids)
        .order_by("movie", "place")
        .values_list("movie", "genre")
    )
    cast = _names_in_order(
        models.Casting.objects.filter(movie__in=movie_ids)
        .order_by("movie", "billing")
        .values_list("movie", "person__name")
    )
    links: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for link in models.ExternalId.objects.filter(movie__in=movie_ids):
        links[link.movie_id].add((link.source, link.value))
    return {
        movie.pk: Movie(
            Facts(
                title=movie.title,
                year=movie.year,
                genres=tuple(genres[movie.pk]),
                cast=tuple(cast[movie.pk]),
                overview=movie.overview,
                poster_url=movie.poster_url,
            ),
            frozenset(links[movie.pk]),
        )
        for movie in models.Movie.objects.filter(pk__in=movie_ids)
    }


def rebuild(store: EventStore) -> int:
    """Make the tables again from the log; the number of events. Writers of movies wait."""
    total = 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "TRUNCATE movies, genres, people, movie_genres, castings, external_ids"
                " RESTART IDENTITY"
            )
        for partition in range(store.partitions):
            total += _replay(store, partition)
    return total


def _replay(store: EventStore, partition: int) -> int:
    offset, total = 0, 0
    while page := store.page(partition, after=offset, limit=_PAGE):
        events: list[MovieEvent] = [
            recorded.event
            for recorded in page
            if isinstance(recorded.event, MovieAdded | MovieDescribed | MovieLinked)
        ]
        apply(events)
        offset = page[-1].offset
        total += len(events)
    return total


def _put(sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    if columns:
        with connection.cursor() as cursor:
            cursor.execute(sql, columns)


def _put_movies(facts: Sequence[MovieAdded | MovieDescribed]) -> None:
    _put(
        _MOVIES,
        [(e.movie_id, e.title, e.year, e.overview, e.poster_url) for e in facts],
    )


def _clear_details(movie_ids: Sequence[int]) -> None:
    if movie_ids:
        models.MovieGenre.objects.filter(movie__in=movie_ids).delete()
        models.Casting.objects.filter(movie__in=movie_ids).delete()


def _put_genres(facts: Sequence[MovieAdded | MovieDescribed]) -> None:
    rows = [
        (event.movie_id, place, name)
        for event in facts
        for place, name in enumerate(event.genres, start=1)
    ]
    _put(_GENRES, [(name,) for name in sorted({name for _, _, name in rows})])
    _put(_MOVIE_GENRES, rows)


def _put_cast(facts: Sequence[MovieAdded | MovieDescribed]) -> None:
    rows = [
        (event.movie_id, billing, name)
        for event in facts
        for billing, name in enumerate(event.cast, start=1)
    ]
    _put(_PEOPLE, [(name,) for name in sorted({name for _, _, name in rows})])
    _put(_CASTINGS, rows)


def _put_external_ids(events: Sequence[MovieEvent]) -> None:
    links = [
        (event.movie_id, source, value)
        for event in events
        for source, value in _links_of(event).items()
    ]
    _put(_EXTERNAL_IDS, sorted(links))


def _links_of(event: MovieEvent) -> Mapping[str, str]:
    match event:
        case MovieAdded(external_ids=external_ids):
            return external_ids
        case MovieLinked(source=source, external_id=external_id):
            return {source: external_id}
        case MovieDescribed():
            return {}


def _names_in_order(pairs: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    names: dict[int, list[str]] = defaultdict(list)
    for movie_id, name in pairs:
        names[movie_id].append(name)
    return names
