"""Inline projection: writes movies and boards to tables with their events; reads movies' states."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection, transaction

from command_api.catalogue import models, title_keys
from command_api.catalogue.decider import MovieDetails, MovieFacts, MovieState
from events.catalogue import (
    Credit,
    MovieAdded,
    MovieDescribed,
    MovieDetailed,
    MovieEvent,
    MovieLinked,
    MovieRestored,
    MovieWithdrawn,
    TrendEvent,
    TrendObserved,
)
from events.store import EventStore

T = TypeVar("T")

_PAGE = 1000

# One statement per table and batch, an array per column: three times as fast as model instances.
_MOVIES = """
INSERT INTO movies (id, title, title_key, year, overview, poster_url, prominence, status)
SELECT *, 'listed' FROM unnest(
    %s::integer[], %s::text[], %s::text[], %s::smallint[], %s::text[], %s::text[], %s::smallint[]
)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, title_key = excluded.title_key,
    year = excluded.year, overview = excluded.overview, poster_url = excluded.poster_url,
    prominence = excluded.prominence
"""
_DETAILS = """
UPDATE movies SET original_title = new.original_title, original_language = new.language,
    released_on = new.released_on, runtime_minutes = new.minutes
FROM unnest(%s::integer[], %s::text[], %s::text[], %s::date[], %s::integer[])
    AS new (id, original_title, language, released_on, minutes)
WHERE movies.id = new.id
"""
_STATUSES = """
UPDATE movies SET status = new.status
FROM unnest(%s::integer[], %s::text[]) AS new (id, status) WHERE movies.id = new.id
"""
_CREDITS = """
INSERT INTO credits (movie_id, place, job, person_id)
SELECT movie, place, job, people.id
FROM unnest(%s::integer[], %s::smallint[], %s::text[], %s::text[]) AS new (movie, place, job, name)
JOIN people USING (name)
"""
_KEYWORDS = "INSERT INTO keywords (name) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
_MOVIE_KEYWORDS = """
INSERT INTO movie_keywords (movie_id, place, keyword_id)
SELECT * FROM unnest(%s::integer[], %s::smallint[], %s::text[])
"""
_TRANSLATIONS = """
INSERT INTO translations (movie_id, language, title)
SELECT * FROM unnest(%s::integer[], %s::text[], %s::text[])
"""
_GENRES = "INSERT INTO genres (name) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
_MOVIE_GENRES = """
INSERT INTO movie_genres (movie_id, place, genre_id)
SELECT * FROM unnest(%s::integer[], %s::smallint[], %s::text[])
"""
_PEOPLE = "INSERT INTO people (name) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
_CASTINGS = """
INSERT INTO castings (movie_id, billing, person_id)
SELECT movie, billing, people.id
FROM unnest(%s::integer[], %s::smallint[], %s::text[]) AS new (movie, billing, name)
JOIN people USING (name)
"""
_DIRECTORS = """
INSERT INTO movie_directors (movie_id, place, person_id)
SELECT movie, place, people.id
FROM unnest(%s::integer[], %s::smallint[], %s::text[]) AS new (movie, place, name)
JOIN people USING (name)
"""
_EXTERNAL_IDS = """
INSERT INTO external_ids (movie_id, source, value)
SELECT * FROM unnest(%s::integer[], %s::text[], %s::text[])
"""


def apply(events: Sequence[MovieEvent]) -> None:
    """Write events, in order per movie, to the tables.

    Call it in the transaction that appends them, before the append: rows are locked in order of id,
    then the log's counters.
    """
    described = {
        event.movie_id: event for event in events if isinstance(event, MovieAdded | MovieDescribed)
    }
    _put_descriptions([described[movie_id] for movie_id in sorted(described)])
    _put(_EXTERNAL_IDS, sorted(link for event in events for link in _links_of(event)))
    detailed = {event.movie_id: event for event in events if isinstance(event, MovieDetailed)}
    _put_details([detailed[movie_id] for movie_id in sorted(detailed)])
    _put(_STATUSES, sorted(_statuses(events).items()))


def apply_trend(event: TrendObserved, *, at: datetime) -> None:
    """Write an observation of a board in place of the last, in the transaction that appends it."""
    board, _ = models.TrendObservation.objects.update_or_create(
        board=event.board,
        defaults={"source": event.source, "window": event.window, "observed_at": at},
    )
    board.entries.all().delete()
    models.TrendEntry.objects.bulk_create(
        models.TrendEntry(board=board, movie_id=movie, rank=rank)
        for rank, movie in enumerate(event.movies, start=1)
    )


def movie_states(movie_ids: Collection[int]) -> dict[int, MovieState]:
    """Read the states of movies, with one query per table; unknown movies are left out."""
    genres = _by_movie(models.MovieGenre, movie_ids, "genre", order="place")
    cast = _by_movie(models.Casting, movie_ids, "person__name", order="billing")
    directors = _by_movie(models.MovieDirector, movie_ids, "person__name", order="place")
    links = _by_movie(models.ExternalId, movie_ids, "source", "value")
    crew = _by_movie(models.Credit, movie_ids, "person__name", "job", order="place")
    keywords = _by_movie(models.MovieKeyword, movie_ids, "keyword", order="place")
    titles = _by_movie(models.Translation, movie_ids, "language", "title")
    return {
        movie.pk: MovieState(
            MovieFacts(
                title=movie.title,
                year=movie.year,
                genres=tuple(genre for (genre,) in genres[movie.pk]),
                cast=tuple(name for (name,) in cast[movie.pk]),
                overview=movie.overview,
                poster_url=movie.poster_url,
                directors=tuple(name for (name,) in directors[movie.pk]),
                prominence=movie.prominence,
            ),
            frozenset(links[movie.pk]),
            MovieDetails(
                original_title=movie.original_title,
                original_language=movie.original_language,
                released_on=movie.released_on,
                runtime_minutes=movie.runtime_minutes,
                crew=tuple(Credit(name, job) for name, job in crew[movie.pk]),
                keywords=tuple(word for (word,) in keywords[movie.pk]),
                titles=frozenset(titles[movie.pk]),
            ),
            is_withdrawn=movie.status == models.Movie.Status.WITHDRAWN,
        )
        for movie in models.Movie.objects.filter(pk__in=movie_ids)
    }


def rebuild(store: EventStore, advance: Callable[[int], object] = lambda _: None) -> int:
    """Rebuild the tables from the log in one transaction; return the number of applied events.

    Commands that change movies wait for it. ``advance`` gets the number of events read since its
    last call.
    """
    total = 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "TRUNCATE movies, genres, people, keywords, movie_genres, castings,"
                " movie_directors, external_ids, credits, movie_keywords, translations,"
                " trend_observations, trend_entries"
                " RESTART IDENTITY"
            )
        for partition in range(store.partitions):
            total += _replay(store, partition, advance)
    return total


def _replay(store: EventStore, partition: int, advance: Callable[[int], object]) -> int:
    offset, total = 0, 0
    while page := store.page(partition, after=offset, limit=_PAGE):
        events: list[MovieEvent] = [
            recorded.event for recorded in page if isinstance(recorded.event, MovieEvent)
        ]
        apply(events)
        trends = [
            (recorded.event, recorded.occurred_at)
            for recorded in page
            if isinstance(recorded.event, TrendEvent)
        ]
        for event, at in {event.board: (event, at) for event, at in trends}.values():
            apply_trend(event, at=at)
        offset = page[-1].offset
        total += len(events) + len(trends)
        advance(len(page))
    return total


def _by_movie(
    model: Any, movie_ids: Collection[int], *columns: str, order: str = "id"
) -> dict[int, list[tuple[Any, ...]]]:
    """Columns of the rows of some movies, by movie and in order."""
    rows = model.objects.filter(movie__in=movie_ids).order_by("movie", order)
    rows_by_movie: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for movie_id, *values in rows.values_list("movie", *columns):
        rows_by_movie[movie_id].append(tuple(values))
    return rows_by_movie


def _put(sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    if columns:
        with connection.cursor() as cursor:
            cursor.execute(sql, columns)


def _put_named(names_sql: str, rows_sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add the names in the rows' last column, then the rows.

    The names are sorted, so that two transactions that add the same ones don't deadlock.
    """
    _put(names_sql, [(name,) for name in sorted({row[-1] for row in rows})])
    _put(rows_sql, rows)


def _put_descriptions(described: Sequence[MovieAdded | MovieDescribed]) -> None:
    _put(
        _MOVIES,
        [
            (
                event.movie_id,
                event.title,
                title_keys.key(event.title),
                event.year,
                event.overview,
                event.poster_url,
                event.prominence,
            )
            for event in described
        ],
    )
    redescribed = [event.movie_id for event in described if isinstance(event, MovieDescribed)]
    _clear(redescribed, models.MovieGenre, models.Casting, models.MovieDirector)
    _put_named(
        _GENRES,
        _MOVIE_GENRES,
        [(e.movie_id, *row) for e in described for row in _numbered(e.genres)],
    )
    _put_named(
        _PEOPLE, _CASTINGS, [(e.movie_id, *row) for e in described for row in _numbered(e.cast)]
    )
    directors = [(e.movie_id, *row) for e in described for row in _numbered(e.directors)]
    _put_named(_PEOPLE, _DIRECTORS, directors)


def _put_details(detailed: Sequence[MovieDetailed]) -> None:
    movie_ids = [event.movie_id for event in detailed]
    _clear(movie_ids, models.Credit, models.MovieKeyword, models.Translation)
    _put(
        _DETAILS,
        [
            (
                event.movie_id,
                event.original_title,
                event.original_language,
                event.released_on,
                event.runtime_minutes,
            )
            for event in detailed
        ],
    )
    crew = [(e.movie_id, place, c.job, c.name) for e in detailed for place, c in _numbered(e.crew)]
    _put_named(_PEOPLE, _CREDITS, crew)
    keywords = [(e.movie_id, *row) for e in detailed for row in _numbered(e.keywords)]
    _put_named(_KEYWORDS, _MOVIE_KEYWORDS, keywords)
    _put(_TRANSLATIONS, [(e.movie_id, *title) for e in detailed for title in e.titles.items()])


def _clear(movie_ids: Sequence[int], *tables: Any) -> None:
    for table in tables if movie_ids else ():
        table.objects.filter(movie__in=movie_ids).delete()


def _numbered(items: Iterable[T]) -> Iterable[tuple[int, T]]:
    return enumerate(items, start=1)


def _statuses(events: Sequence[MovieEvent]) -> dict[int, str]:
    """The last status of each movie that was withdrawn or restored."""
    statuses: dict[int, str] = {}
    for event in events:
        match event:
            case MovieWithdrawn(movie_id=movie_id):
                statuses[movie_id] = models.Movie.Status.WITHDRAWN
            case MovieRestored(movie_id=movie_id):
                statuses[movie_id] = models.Movie.Status.LISTED
            case MovieAdded() | MovieDescribed() | MovieLinked() | MovieDetailed():
                continue
    return statuses


def _links_of(event: MovieEvent) -> Sequence[tuple[int, str, str]]:
    match event:
        case MovieAdded(movie_id=movie_id, external_ids=external_ids):
            return [(movie_id, *link) for link in external_ids.items()]
        case MovieLinked(movie_id=movie_id, source=source, external_id=external_id):
            return [(movie_id, source, external_id)]
        case MovieDescribed() | MovieDetailed() | MovieWithdrawn() | MovieRestored():
            return ()
