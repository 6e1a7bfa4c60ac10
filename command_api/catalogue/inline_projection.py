"""Inline projection of movies: tables written with the events, and states read from them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from django.db import connection, transaction

from command_api.catalogue import models, title_keys, trend_tables
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
)
from events.store import EventStore

T = TypeVar("T")

_PAGE = 1000

# One statement per table and batch, an array per column: three times as fast as model instances.
_MOVIES = """
INSERT INTO movies (id, title, title_key, year, overview, poster_url, status)
SELECT *, 'listed' FROM unnest(
    %s::integer[], %s::text[], %s::text[], %s::smallint[], %s::text[], %s::text[]
)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, title_key = excluded.title_key,
    year = excluded.year, overview = excluded.overview, poster_url = excluded.poster_url
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
# Names are sorted, so that two transactions that add the same people don't deadlock.
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
    """Write events, in order per movie, to the tables.

    Call it in the transaction that appends them, before the append: rows are locked in order of id,
    then the log's counters.
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
    detailed = {event.movie_id: event for event in events if isinstance(event, MovieDetailed)}
    _put_details([detailed[movie_id] for movie_id in sorted(detailed)])
    _put(_STATUSES, sorted(_statuses(events).items()))


def movie_states(movie_ids: Collection[int]) -> dict[int, MovieState]:
    """The states of those of the movies that the catalogue has."""
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
    details = _Details(movie_ids)
    return {
        movie.pk: MovieState(
            MovieFacts(
                title=movie.title,
                year=movie.year,
                genres=tuple(genres[movie.pk]),
                cast=tuple(cast[movie.pk]),
                overview=movie.overview,
                poster_url=movie.poster_url,
            ),
            frozenset(links[movie.pk]),
            details.of(movie),
            is_withdrawn=movie.status == models.Movie.Status.WITHDRAWN,
        )
        for movie in models.Movie.objects.filter(pk__in=movie_ids)
    }


def rebuild(store: EventStore, advance: Callable[[int], object] = lambda _: None) -> int:
    """Rebuild the tables from the log and return the number of events; writers of movies wait.

    ``advance`` gets the number of events read since its last call.
    """
    total = 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "TRUNCATE movies, genres, people, keywords, movie_genres, castings, external_ids,"
                " credits, movie_keywords, translations, trend_observations, trend_entries"
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
            trend_tables.apply(event, at=at)
        offset = page[-1].offset
        total += len(events) + len(trends)
        advance(len(page))
    return total


def _put(sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    if columns:
        with connection.cursor() as cursor:
            cursor.execute(sql, columns)


def _put_movies(facts: Sequence[MovieAdded | MovieDescribed]) -> None:
    _put(
        _MOVIES,
        [
            (e.movie_id, e.title, title_keys.key(e.title), e.year, e.overview, e.poster_url)
            for e in facts
        ],
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


class _Details:
    """Details of some movies, loaded with one query per table."""

    def __init__(self, movie_ids: Collection[int]) -> None:
        self._crew: dict[int, list[Credit]] = defaultdict(list)
        crew = models.Credit.objects.filter(movie__in=movie_ids).order_by("movie", "place")
        for movie, name, job in crew.values_list("movie", "person__name", "job"):
            self._crew[movie].append(Credit(name, job))
        keywords = models.MovieKeyword.objects.filter(movie__in=movie_ids).order_by(
            "movie", "place"
        )
        self._keywords = _names_in_order(keywords.values_list("movie", "keyword"))
        self._titles: dict[int, set[tuple[str, str]]] = defaultdict(set)
        translations = models.Translation.objects.filter(movie__in=movie_ids)
        for movie, language, title in translations.values_list("movie", "language", "title"):
            self._titles[movie].add((language, title))

    def of(self, movie: models.Movie) -> MovieDetails:
        return MovieDetails(
            original_title=movie.original_title,
            original_language=movie.original_language,
            released_on=movie.released_on,
            runtime_minutes=movie.runtime_minutes,
            crew=tuple(self._crew[movie.pk]),
            keywords=tuple(self._keywords[movie.pk]),
            titles=frozenset(self._titles[movie.pk]),
        )


def _put_details(detailed: Sequence[MovieDetailed]) -> None:
    if not detailed:
        return
    movie_ids = [event.movie_id for event in detailed]
    models.Credit.objects.filter(movie__in=movie_ids).delete()
    models.MovieKeyword.objects.filter(movie__in=movie_ids).delete()
    models.Translation.objects.filter(movie__in=movie_ids).delete()
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
    _put(_PEOPLE, [(name,) for name in sorted({name for *_, name in crew})])
    _put(_CREDITS, crew)
    words = [(e.movie_id, place, word) for e in detailed for place, word in _numbered(e.keywords)]
    _put(_KEYWORDS, [(word,) for word in sorted({word for *_, word in words})])
    _put(_MOVIE_KEYWORDS, words)
    _put(_TRANSLATIONS, [(e.movie_id, *title) for e in detailed for title in e.titles.items()])


def _numbered(things: Iterable[T]) -> Iterable[tuple[int, T]]:
    return enumerate(things, start=1)


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
        case MovieDescribed() | MovieDetailed() | MovieWithdrawn() | MovieRestored():
            return {}


def _names_in_order(pairs: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    names: dict[int, list[str]] = defaultdict(list)
    for movie_id, name in pairs:
        names[movie_id].append(name)
    return names
