"""Events of favourites and hidden movies."""

from typing import TypeAlias
from uuid import UUID

from events.event import Event


class MovieFavourited(Event, frozen=True, kw_only=True, tag="movie-favourited.v1"):
    """A user made a movie a favourite."""

    user_id: UUID
    movie_id: int


class MovieUnfavourited(Event, frozen=True, kw_only=True, tag="movie-unfavourited.v1"):
    """A movie is no longer a favourite."""

    user_id: UUID
    movie_id: int


class MovieHidden(Event, frozen=True, kw_only=True, tag="movie-hidden.v1"):
    """A user hid a movie: it is not recommended to them any more."""

    user_id: UUID
    movie_id: int


class MovieUnhidden(Event, frozen=True, kw_only=True, tag="movie-unhidden.v1"):
    """A hidden movie may be recommended again."""

    user_id: UUID
    movie_id: int


CollectionEvent: TypeAlias = MovieFavourited | MovieUnfavourited | MovieHidden | MovieUnhidden
