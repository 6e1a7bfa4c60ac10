"""Projection of similarity: likes and content features of movies."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from events.catalogue import (
    AnyEvent,
    MovieAdded,
    MovieDescribed,
    MovieRated,
    RatingWithdrawn,
)
from projectors.read_models.similarity.formula import LIKES_FROM


class ContentFeatures(msgspec.Struct, frozen=True, array_like=True):
    """What content similarity compares; equal features encode to equal bytes."""

    year: int | None
    genres: tuple[str, ...]


class LikeChange(msgspec.Struct, kw_only=True):
    """The sum of a batch's changes to one movie."""

    likes: dict[str, bool] = msgspec.field(default_factory=dict)
    """User -> whether they like it now; users whose like did not change are left out."""
    facts: ContentFeatures | None = None


def like_changes(events: Sequence[AnyEvent]) -> Mapping[int, LikeChange]:
    """Sum up one partition's events, in order, by movie."""
    changes: defaultdict[int, LikeChange] = defaultdict(LikeChange)
    for event in events:
        match event:
            case MovieRated(user_id=user, movie_id=movie, score=score, previous=previous):
                if is_liked(score) != is_liked(previous):
                    changes[movie].likes[str(user)] = is_liked(score)
            case RatingWithdrawn(user_id=user, movie_id=movie, previous=previous):
                if is_liked(previous):
                    changes[movie].likes[str(user)] = False
            case MovieAdded() | MovieDescribed():
                genres = tuple(sorted(set(event.genres)))
                changes[event.movie_id].facts = ContentFeatures(event.year, genres)
            case _:  # not about similarity
                continue
    return changes


def is_liked(score: int | None) -> bool:
    return score is not None and score >= LIKES_FROM
