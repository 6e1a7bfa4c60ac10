"""Decryption of the personal fields of recorded events, with cached keys.

What a field decrypts to, by its key:

    found        the text
    destroyed    "": the person was erased
    missing      KeyMissing: the vault is behind the log; retry later
    wrong        DecryptionError: permanent

The log itself stays encrypted.
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

_CACHE_SIZE = 10_000
_CACHE_SECONDS = 10.0

_ENCRYPTED: Mapping[type, Mapping[str, str]] = MappingProxyType(
    {
        UserRegistered: {"username": "username", "email": "email"},
        PlaylistCreated: {"name": PLAYLIST_NAME, "description": PLAYLIST_DESCRIPTION},
        PlaylistRenamed: {"name": PLAYLIST_NAME},
        PlaylistDescribed: {"description": PLAYLIST_DESCRIPTION},
    }
)
"""The encrypted attributes of an event, and the field name each is encrypted under."""

_Key = bytes | None


class EventDecryptor:
    """Decrypts events; caches keys for some seconds; thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._cache: dict[UUID, tuple[float, _Key]] = {}

    def decrypt_all(self, batch: Sequence[Recorded]) -> Sequence[Recorded]:
        """The same events with decrypted fields; raises KeyMissing, DecryptionError."""
        encrypted = {nth: it for nth, it in enumerate(batch) if type(it.event) in _ENCRYPTED}
        if not encrypted:
            return batch
        keys = self._keys({_subject(it.event) for it in encrypted.values()})
        decrypted = list(batch)
        for nth, it in encrypted.items():
            decrypted[nth] = replace(it, event=_decrypted(it.event, keys[_subject(it.event)]))
        return decrypted

    def key_of(self, subject: UUID) -> bytes | None:
        """The key of a person's fields; None if it was destroyed. Raises KeyMissing."""
        return self._keys({subject})[subject]

    def _keys(self, subject_ids: Collection[UUID]) -> dict[UUID, _Key]:
        now = monotonic()
        keys = self._cached(subject_ids, now)
        missing_ids = [subject for subject in subject_ids if subject not in keys]
        if missing_ids:
            loaded = subjects.keys_of(missing_ids)
            self._store(loaded, now)
            keys |= loaded
        if missing := next((subject for subject in missing_ids if subject not in keys), None):
            raise KeyMissing(str(missing))
        return keys

    def _cached(self, subject_ids: Collection[UUID], now: float) -> dict[UUID, _Key]:
        with self._lock:
            cached = {
                subject: self._cache[subject] for subject in subject_ids if subject in self._cache
            }
        return {subject: key for subject, (at, key) in cached.items() if now - at < _CACHE_SECONDS}

    def _store(self, keys: Mapping[UUID, _Key], now: float) -> None:
        with self._lock:
            if len(self._cache) + len(keys) > _CACHE_SIZE:
                self._cache.clear()
            self._cache |= {subject: (now, key) for subject, key in keys.items()}


def _subject(event: AnyEvent) -> UUID:
    match event:
        case UserRegistered() | PlaylistCreated() | PlaylistRenamed() | PlaylistDescribed():
            return event.user_id
        case _:
            raise TypeError(type(event).__name__)


def _decrypted(event: AnyEvent, key: _Key) -> AnyEvent:
    subject = _subject(event)
    texts: dict[str, str] = {}
    for attribute, field in _ENCRYPTED[type(event)].items():
        encrypted = getattr(event, attribute)
        if encrypted is not None:
            texts[attribute] = (
                decrypt_field(key, encrypted, subject=subject, field=field) if key else ""
            )
    return replace(event, **texts)
