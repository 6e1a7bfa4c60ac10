"""Stream names that more than one package uses."""

from uuid import UUID

from events.recorded import Stream

PLAYLISTS = "playlist-"
"""Prefix of the streams of playlists."""


def erasure_of(user_id: UUID) -> Stream:
    """The stream of a user's erasure; separate, so that no concurrent append delays it."""
    return Stream(f"erasure-{user_id}", str(user_id))
