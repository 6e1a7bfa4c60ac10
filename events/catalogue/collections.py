"""What can happen to the movies that a user keeps, or never wants to see again?"""

from typing import TypeAlias
from uuid import UUID

from events.event import Event


class MovieFavourited(Event, frozen=True, kw_only=True, tag="movie-favourited.v1"):
    """A user made a movie one of their favourites."""

    user_id: UUID
    movie_id: int


class MovieUnfavourited(Event, frozen=True, kw_only=True, tag="movie-unfavourited.v1"):
    """A movie is no favourite any more."""

    user_id: UUID
    movie_id: int


class MovieHidden(Event, frozen=True, kw_only=True, tag="movie-hidden.v1"):
    """A user said "not for me": the movie is never recommended to them again."""

    user_id: UUID
    movie_id: int


class MovieUnhidden(Event, frozen=True, kw_only=True, tag="movie-unhidden.v1"):
    """A movie may be recommended again."""

    user_id: UUID
    movie_id: int


CollectionEvent: TypeAlias = MovieFavourited | MovieUnfavourited | MovieHidden | MovieUnhidden
