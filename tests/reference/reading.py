"""Answers of the read models in the reference's types, read through their own interfaces."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from projectors.read_models.library.playlists import read_order
from projectors.read_models.library.read_model import Library, read_playlist_ids
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.trending.read_model import Trending
from tests.fixtures import model_access
from tests.reference import library as reference_library
from tests.reference.movies import SCORES, Community, Facts
from tests.reference.opinions import Opinion


def card(movies: Movies, movie: int) -> tuple[Facts, Community] | None:
    """A movie's card; None if it has none."""
    packed = model_access.card(movies, movie)
    return None if packed is None else of_card(json.loads(packed))


def of_card(card: dict[str, Any]) -> tuple[Facts, Community]:
    """The same from a card of the API; its average must match its histogram."""
    shown = card["community"]
    community = Community(tuple(shown["histogram"]))
    assert len(community.histogram) == len(SCORES)
    assert shown["count"] == community.count
    average = round(community.total / community.count, 2) if community.count else None
    assert shown["average"] == average
    facts = Facts(
        title=card["title"],
        year=card["year"],
        genres=tuple(card["genres"]),
        cast=tuple(card["cast"]),
        overview=card.get("overview"),
        poster_url=card.get("poster_url"),
        directors=tuple(card.get("directors", ())),
        external_ids=card["external_ids"],
    )
    return facts, community


def library(model: Library, user: UUID) -> reference_library.Library:
    """A user's library; its lists must be in the promised order."""
    ratings = model_access.ratings(model, user)
    assert [it.at for it in ratings] == sorted((it.at for it in ratings), reverse=True)
    by_score = model_access.ratings(model, user, "score")
    assert sorted(by_score) == sorted(ratings)
    places = [(it.score, it.at) for it in by_score]
    assert places == sorted(places, reverse=True)
    return reference_library.Library(
        ratings={it.movie: Opinion(it.score, it.at) for it in ratings},
        favourites={it.movie: it.at for it in model_access.flagged(model, "favourites", user)},
        hidden={it.movie: it.at for it in model_access.flagged(model, "hidden", user)},
        playlists=_playlists(model, user),
    )


def _playlists(model: Library, user: UUID) -> dict[str, reference_library.Playlist]:
    with model.redis.pipeline(transaction=False) as pipe:
        model.enqueue_playlists(pipe, user)
        [own] = pipe.execute()
    ids = [id_ for _, id_ in read_playlist_ids(own)]
    playlists_by_id = {}
    for playlist in model.playlists(ids):
        with model.redis.pipeline(transaction=False) as pipe:
            model.enqueue_playlist(pipe, playlist.id)
            _, ranks = pipe.execute()
        order = {movie: rank for rank, movie in read_order(ranks)}
        assert playlist.size == len(order)
        playlists_by_id[playlist.id] = reference_library.Playlist(
            owner=UUID(playlist.owner),
            name=playlist.name,
            description=playlist.description,
            visibility=playlist.visibility,
            version=playlist.version,
            ranks=order,
        )
    assert len(playlists_by_id) == len(ids)
    return playlists_by_id


def degrees(
    trending: Trending, hours: Iterable[datetime], movies: Sequence[int]
) -> dict[tuple[int, datetime], int]:
    """The heat that each movie gained in each hour, without zeros."""
    hours_by_number = {int(hour.timestamp()) // 3600: hour for hour in hours}
    counts = trending.ratings_in(list(hours_by_number))
    assert trending.ratings_of(movies, list(hours_by_number)) == {
        hour: {movie: of.get(movie, 0) for movie in movies} for hour, of in counts.items()
    }
    return {
        (movie, hours_by_number[hour]): count
        for hour, by_movie in counts.items()
        for movie, count in by_movie.items()
        if count
    }
