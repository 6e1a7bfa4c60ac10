"""Decryption: which read models get personal fields in clear, and failures."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from events.catalogue import UserRegistered
from events.catalogue.accounts import EncryptedField
from events.recorded import Origin, Recorded, Stream
from events.vault.encryption import encrypt_field
from events.vault.models import Subject
from events.vault.subjects import reserve
from infra.config import config
from projectors.consumer.decryption import decryptor
from projectors.consumer.follower import Follower
from projectors.errors import PoisonEvent, RetryLater
from projectors.read_models.library.read_model import Library
from projectors.registry import MODELS
from tests.fixtures.memory_store import MemoryStore

ANN, NOBODY = UUID(int=1), UUID(int=2)

pytestmark = pytest.mark.usefixtures("vault_database", "keys")


@pytest.fixture
def key():
    return reserve(ANN, username="ann", email="ann@example.org", password_hash="")


def registered(user, username: str) -> Sequence[Recorded]:
    store = MemoryStore(config().partitions)
    event = UserRegistered(
        user_id=user, username=EncryptedField(username), email=EncryptedField(username)
    )
    return store.append(
        Stream(f"user-{user}", str(user)),
        [event],
        expected=0,
        origin=Origin(correlation_id=uuid4()),
    )


def named(key, user=ANN):
    store = MemoryStore(config().partitions)
    fields = {
        field: encrypt_field(key, subject=user, field=field, text="ann")
        for field in ("username", "email")
    }
    return store, store.append(
        Stream(f"user-{user}", str(user)),
        [UserRegistered(user_id=user, **fields)],
        expected=0,
        origin=Origin(correlation_id=uuid4()),
    )


def test_only_library_and_playlists_decrypt():
    assert {model.name for model in MODELS if model.decrypts} == {"library", "playlists"}


def test_follower_decrypts_personal_fields(redis, key):
    store, batch = named(key)
    follower = Follower(Library(redis, 1), store, decryptor())
    follower.sync(store.heads())
    follower.process(batch)
    assert Library(redis, 1).usernames([str(ANN)]) == {str(ANN): "ann"}


def test_event_with_missing_key_is_retried_later(redis, key):
    store, batch = named(key)
    Subject.objects.all().delete()
    follower = Follower(Library(redis, 1), store, decryptor())
    follower.sync(store.heads())
    follower.process(batch)
    assert (sum(follower.checkpoints), follower.is_backing_off) == (0, True)
    with pytest.raises(RetryLater, match="no key"):
        decryptor()(registered(NOBODY, "x"))


def test_missing_key_is_retried_and_undecryptable_field_is_poison(key):
    with pytest.raises(PoisonEvent):
        decryptor()(registered(ANN, "bm90IHJlYWxseSBzZWFsZWQ="))


def test_fields_of_erased_user_read_as_empty(redis, key):
    store, batch = named(key)
    Subject.objects.update(
        state="erased", username_hmac=None, email_hmac=None, key=None, password_hash=None
    )
    follower = Follower(Library(redis, 1), store, decryptor())
    follower.sync(store.heads())
    follower.process(batch)
    assert Library(redis, 1).usernames([str(ANN)]) == {}
