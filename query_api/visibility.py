"""Visibility: who may see a playlist, or a user's activity.

Visibility is decided only here, by the current state. Every endpoint checks it before it reveals
that a thing exists, changed, or did not change.
"""

from typing import NamedTuple
from uuid import UUID

from projectors.read_models.library.playlists import PlaylistSummary
from projectors.read_models.library.projection import UserPreferences


class Activity(NamedTuple):
    """A user's ratings, favourites and preferences."""

    owner: str
    preferences: UserPreferences


def is_visible(thing: PlaylistSummary | Activity, viewer: UUID | None) -> bool:
    """Whether a user (None: without a token) may see a thing."""
    return (viewer is not None and str(viewer) == thing.owner) or _is_public(thing)


def _is_public(thing: PlaylistSummary | Activity) -> bool:
    match thing:
        case PlaylistSummary(visibility=visibility):
            return visibility == "public"
        case Activity(preferences=preferences):
            return preferences.public_activity
