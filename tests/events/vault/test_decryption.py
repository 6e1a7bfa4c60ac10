"""Decryption of recorded events: keys, caching and failures."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from events.catalogue import (
    MovieRated,
    PlaylistCreated,
    PlaylistDescribed,
    PlaylistRenamed,
    UserRegistered,
)
from events.catalogue.accounts import EncryptedField
from events.vault import decryption, subjects
from events.vault.decryption import PLAYLIST_DESCRIPTION, PLAYLIST_NAME, EventDecryptor
from events.vault.encryption import DecryptionError, encrypt_field
from events.vault.models import Subject
from events.vault.subjects import KeyMissing
from tests.fixtures.recording import Recording

pytestmark = [
    pytest.mark.django_db(databases=["default", "vault"]),
    pytest.mark.usefixtures("keys"),
]


class Writer:
    """A person with a key."""

    def __init__(self, name: str = "ann") -> None:
        self.user_id = uuid4()
        email = f"{name}@example.org"
        self._key = subjects.reserve(self.user_id, username=name, email=email, password_hash="hash")

    def encrypt(self, field: str, text: str) -> EncryptedField:
        return encrypt_field(self._key, subject=self.user_id, field=field, text=text)

    def created(self, name: str, description: str | None = None) -> PlaylistCreated:
        return PlaylistCreated(
            playlist_id="p",
            user_id=self.user_id,
            name=self.encrypt(PLAYLIST_NAME, name),
            description=None
            if description is None
            else self.encrypt(PLAYLIST_DESCRIPTION, description),
        )

    def rated(self) -> MovieRated:
        return MovieRated(user_id=self.user_id, movie_id=1, score=7)


def recorded(*events):
    recording = Recording()
    return [recording.record(event) for event in events]


def opened(*events, decryptor=None):
    return [it.event for it in (decryptor or EventDecryptor()).decrypt_all(recorded(*events))]


def query_count(work):
    with CaptureQueriesContext(connections["vault"]) as queries:
        work()
    return len(queries)


def test_every_encrypted_field_is_decrypted():
    ann = Writer()
    playlist: dict[str, Any] = {"playlist_id": "p", "user_id": ann.user_id}
    decrypted = opened(
        UserRegistered(
            user_id=ann.user_id,
            username=ann.encrypt("username", "ann"),
            email=ann.encrypt("email", "ann@example.org"),
        ),
        ann.created("Noir", "Dark"),
        PlaylistRenamed(**playlist, name=ann.encrypt(PLAYLIST_NAME, "Night")),
        PlaylistDescribed(**playlist, description=ann.encrypt(PLAYLIST_DESCRIPTION, "Darker")),
        PlaylistDescribed(**playlist, description=None),
    )
    assert decrypted == [
        UserRegistered(
            user_id=ann.user_id,
            username=EncryptedField("ann"),
            email=EncryptedField("ann@example.org"),
        ),
        PlaylistCreated(
            **playlist, name=EncryptedField("Noir"), description=EncryptedField("Dark")
        ),
        PlaylistRenamed(**playlist, name=EncryptedField("Night")),
        PlaylistDescribed(**playlist, description=EncryptedField("Darker")),
        PlaylistDescribed(**playlist, description=None),
    ]


def test_unencrypted_events_are_unchanged():
    ann = Writer()
    batch = recorded(ann.rated(), ann.created("Noir"), ann.rated())
    after = EventDecryptor().decrypt_all(batch)
    assert (after[0], after[2]) == (batch[0], batch[2])
    assert (after[1].position, after[1].occurred_at) == (batch[1].position, batch[1].occurred_at)


def test_events_without_encrypted_fields_need_no_key():
    batch = recorded(Writer().rated())
    assert query_count(lambda: EventDecryptor().decrypt_all(batch)) == 0
    assert EventDecryptor().decrypt_all(batch) is batch


def test_keys_of_a_batch_are_loaded_in_one_query():
    people = [Writer(name) for name in ("ann", "bob", "eve")]
    batch = recorded(*(writer.created(text) for writer in people for text in ("a", "b")))
    decryptor = EventDecryptor()
    assert query_count(lambda: decryptor.decrypt_all(batch)) == 1
    assert query_count(lambda: decryptor.decrypt_all(batch)) == 0


def test_field_with_destroyed_key_decrypts_to_empty_text():
    ann, bob = Writer("ann"), Writer("bob")
    Subject.objects.filter(user_id=ann.user_id).update(
        state="erased", username_hmac=None, email_hmac=None, key=None, password_hash=None
    )
    [erased, kept] = opened(ann.created("Noir", "Dark"), bob.created("Noir"))
    assert (erased.name, erased.description, kept.name) == ("", "", "Noir")


def test_cached_key_expires(monkeypatch):
    ann, decryptor = Writer(), EventDecryptor()
    opened(ann.created("Noir"), decryptor=decryptor)
    Subject.objects.filter(user_id=ann.user_id).update(
        state="erased", username_hmac=None, email_hmac=None, key=None, password_hash=None
    )
    monkeypatch.setattr(decryption, "_CACHE_SECONDS", 0)
    [event] = opened(ann.created("Noir"), decryptor=decryptor)
    assert event.name == ""


def test_key_cache_is_bounded(monkeypatch):
    monkeypatch.setattr(decryption, "_CACHE_SIZE", 2)
    decryptor = EventDecryptor()
    for name in ("ann", "bob", "eve", "kim"):
        opened(Writer(name).created("Noir"), decryptor=decryptor)
        assert len(decryptor._cache) <= 2


def test_missing_key_is_retried_later():
    ann, decryptor = Writer(), EventDecryptor()
    stranger = PlaylistRenamed(playlist_id="p", user_id=UUID(int=9), name=EncryptedField("AAAA"))
    with pytest.raises(KeyMissing):
        opened(ann.created("Noir"), stranger, decryptor=decryptor)
    with pytest.raises(KeyMissing):
        decryptor.key_of(UUID(int=9))


def test_field_encrypted_for_another_field_fails_to_decrypt():
    ann = Writer()
    wrong = PlaylistRenamed(
        playlist_id="p", user_id=ann.user_id, name=ann.encrypt(PLAYLIST_DESCRIPTION, "Noir")
    )
    with pytest.raises(DecryptionError):
        opened(wrong)
