"""What do a movie's events put into the tables, and what do the tables say of it?"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain

from django.db import connection, transaction

from command_api.catalogue import models
from command_api.catalogue.decider import Facts, Movie
from events.catalogue import MovieAdded, MovieDescribed, MovieEvent, MovieLinked
from events.store import EventStore

_PAGE = 1000


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


def _put_movies(facts: Sequence[MovieAdded | MovieDescribed]) -> None:
    models.Movie.objects.bulk_create(
        [
            models.Movie(
                id=event.movie_id,
                title=event.title,
                year=event.year,
                overview=event.overview,
                poster_url=event.poster_url,
            )
            for event in facts
        ],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["title", "year", "overview", "poster_url"],
    )


def _clear_details(movie_ids: Sequence[int]) -> None:
    if movie_ids:
        models.MovieGenre.objects.filter(movie__in=movie_ids).delete()
        models.Casting.objects.filter(movie__in=movie_ids).delete()


def _put_genres(facts: Sequence[MovieAdded | MovieDescribed]) -> None:
    names = sorted(set(chain.from_iterable(event.genres for event in facts)))
    models.Genre.objects.bulk_create(
        [models.Genre(name=name) for name in names], ignore_conflicts=True
    )
    models.MovieGenre.objects.bulk_create(
        models.MovieGenre(movie_id=event.movie_id, genre_id=name, place=place)
        for event in facts
        for place, name in enumerate(event.genres, start=1)
    )


def _put_cast(facts: Sequence[MovieAdded | MovieDescribed]) -> None:
    ids = _ids_of_people(sorted(set(chain.from_iterable(event.cast for event in facts))))
    models.Casting.objects.bulk_create(
        models.Casting(movie_id=event.movie_id, person_id=ids[name], billing=billing)
        for event in facts
        for billing, name in enumerate(event.cast, start=1)
    )


def _ids_of_people(names: Sequence[str]) -> Mapping[str, int]:
    people = models.Person.objects
    known = dict(people.filter(name__in=names).values_list("name", "pk"))
    missing = [name for name in names if name not in known]
    if missing:
        # Someone else may add the same people: in one order for all, and read again afterwards.
        people.bulk_create([models.Person(name=name) for name in missing], ignore_conflicts=True)
        known |= dict(people.filter(name__in=missing).values_list("name", "pk"))
    return known


def _put_external_ids(events: Sequence[MovieEvent]) -> None:
    links = sorted(
        (event.movie_id, source, value)
        for event in events
        for source, value in _links_of(event).items()
    )
    models.ExternalId.objects.bulk_create(
        models.ExternalId(movie_id=movie_id, source=source, value=value)
        for movie_id, source, value in links
    )


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
