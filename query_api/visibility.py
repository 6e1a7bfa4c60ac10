"""Who may see what?

The one place where it is decided, on what is so now; every way to a thing asks here before it says
that the thing is there, that it changed, or that it did not.
"""

from typing import NamedTuple
from uuid import UUID

from projectors.read_models.library.playlists import PlaylistSummary
from projectors.read_models.library.projection import UserPreferences


class Activity(NamedTuple):
    """What a user rates, keeps and likes."""

    owner: str
    preferences: UserPreferences


def visible(thing: PlaylistSummary | Activity, viewer: UUID | None) -> bool:
    """Whether someone (None: who is not logged in) may see a thing."""
    return (viewer is not None and str(viewer) == thing.owner) or _is_public(thing)


def _is_public(thing: PlaylistSummary | Activity) -> bool:
    match thing:
        case PlaylistSummary(visibility=visibility):
            return visibility == "public"
        case Activity(preferences=preferences):
            return preferences.public_activity
