"""What do recorded events say in their sealed fields?

Those who keep what people wrote in their own words (projectors, and the command side when it
compares) read events through an EventDecryptor. The log itself stays sealed.

    the key is there       the text
    the key was destroyed  "": it reads as erased
    the key is missing     KeyMissing: the vault is behind the log, ask again later
    it does not fit        DecryptionError: it never will
"""

from collections.abc import Collection, Mapping, Sequence
from threading import Lock
from time import monotonic
from types import MappingProxyType
from uuid import UUID

from msgspec.structs import replace

from events.catalogue import (
    AnyEvent,
    PlaylistCreated,
    PlaylistDescribed,
    PlaylistRenamed,
    UserRegistered,
)
from events.recorded import Recorded
from events.vault import subjects
from events.vault.encryption import decrypt_field
from events.vault.subjects import KeyMissing

PLAYLIST_NAME = "playlist-name"
PLAYLIST_DESCRIPTION = "playlist-description"

_REMEMBERED = 10_000
_FRESH_SECONDS = 10.0

_SEALED: Mapping[type, Mapping[str, str]] = MappingProxyType(
    {
        UserRegistered: {"username": "username", "email": "email"},
        PlaylistCreated: {"name": PLAYLIST_NAME, "description": PLAYLIST_DESCRIPTION},
        PlaylistRenamed: {"name": PLAYLIST_NAME},
        PlaylistDescribed: {"description": PLAYLIST_DESCRIPTION},
    }
)
"""Which attributes of an event are sealed, and as which field of its subject."""

_Key = bytes | None


class EventDecryptor:
    """Opens sealed fields, with keys that it remembers for a moment; safe to share by threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[UUID, tuple[float, _Key]] = {}

    def decrypt_all(self, batch: Sequence[Recorded]) -> Sequence[Recorded]:
        """The same events with their sealed fields as text; raises KeyMissing, DecryptionError."""
        sealed = {nth: it for nth, it in enumerate(batch) if type(it.event) in _SEALED}
        if not sealed:
            return batch
        keys = self._keys({_subject(it.event) for it in sealed.values()})
        opened = list(batch)
        for nth, it in sealed.items():
            opened[nth] = replace(it, event=_opened(it.event, keys[_subject(it.event)]))
        return opened

    def key_of(self, subject: UUID) -> bytes | None:
        """The key of a person's fields; None when it was destroyed; raises KeyMissing."""
        return self._keys({subject})[subject]

    def _keys(self, wanted: Collection[UUID]) -> dict[UUID, _Key]:
        now = monotonic()
        keys = self._recall(wanted, now)
        lacking = [subject for subject in wanted if subject not in keys]
        if lacking:
            found = subjects.keys_of(lacking)
            self._remember(found, now)
            keys |= found
        if missing := next((subject for subject in lacking if subject not in keys), None):
            raise KeyMissing(str(missing))
        return keys

    def _recall(self, wanted: Collection[UUID], now: float) -> dict[UUID, _Key]:
        with self._lock:
            known = {subject: self._known[subject] for subject in wanted if subject in self._known}
        return {subject: key for subject, (at, key) in known.items() if now - at < _FRESH_SECONDS}

    def _remember(self, found: Mapping[UUID, _Key], now: float) -> None:
        with self._lock:
            if len(self._known) + len(found) > _REMEMBERED:
                self._known.clear()
            self._known |= {subject: (now, key) for subject, key in found.items()}


def _subject(event: AnyEvent) -> UUID:
    match event:
        case UserRegistered() | PlaylistCreated() | PlaylistRenamed() | PlaylistDescribed():
            return event.user_id
        case _:
            raise TypeError(type(event).__name__)


def _opened(event: AnyEvent, key: _Key) -> AnyEvent:
    subject = _subject(event)
    texts: dict[str, str] = {}
    for attribute, field in _SEALED[type(event)].items():
        sealed = getattr(event, attribute)
        if sealed is not None:
            texts[attribute] = (
                decrypt_field(key, sealed, subject=subject, field=field) if key else ""
            )
    return replace(event, **texts)
