"""Which streams are known to others than those who append to them, and by which names?"""

from uuid import UUID

from events.recorded import Stream

PLAYLISTS = "playlist-"
"""How the name of every playlist's stream begins."""


def erasure_of(user_id: UUID) -> Stream:
    """Where the log says that somebody is erased: by itself, so that nothing holds it up."""
    return Stream(f"erasure-{user_id}", str(user_id))
