"""Erasure on a running platform: every store forgets the user for good.

A small platform on real servers; the test searches dumps of both databases, every Redis key and
every document of the index.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from io import StringIO
from subprocess import run
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import connections
from elasticsearch import Elasticsearch
from redis import Redis

from events.catalogue import AnyEvent, MovieRated, PlaylistCreated, UserRegistered
from events.playlist_ids import playlist_id
from events.recorded import Origin, Recorded, Stream
from events.store import AppendEntry
from events.store.postgres import PostgresStore
from events.vault import erasures, subjects
from events.vault.decryption import PLAYLIST_NAME, EventDecryptor
from events.vault.encryption import encrypt_field
from infra.config import config
from infra.platform.topology import Platform
from infra.services import create_database, drop_database
from infra.services.postgres import binaries
from projectors.read_models.library.read_model import Library
from projectors.verification.fold import InMemoryRedis
from tests.fixtures.platform import PASSWORD, Client, import_
from tests.fixtures.waiting import until

NAME, EMAIL, WORDS = "zoe.unmistakable", "zoe.unmistakable@example.org", "Unmistakable secrets"
NEVER_AGAIN = (NAME, EMAIL, WORDS)


def everything(redis_url: str, elasticsearch_url: str) -> Mapping[str, str]:
    """Everything stored anywhere, as text."""
    return {
        "log": dump(os.environ["MARQUEE_DATABASE_URL"]),
        "vault": dump(os.environ["MARQUEE_VAULT_URL"]),
        "redis": keys_and_values(redis_url),
        "index": documents(elasticsearch_url),
    }


def dump(url: str, *options: str) -> str:
    result = run(
        [tool("pg_dump"), *options, f"--dbname={url}"], capture_output=True, text=True, check=True
    )
    return result.stdout


def tool(name: str) -> str:
    programs = binaries()
    assert programs, "PostgreSQL's own programs are part of every installation of it"
    return str(programs / name)


def keys_and_values(redis_url: str) -> str:
    texts: list[str] = []
    with Redis.from_url(redis_url) as redis:
        for key in redis.scan_iter(count=1000):
            held = {
                b"string": redis.get,
                b"hash": redis.hgetall,
                b"set": redis.smembers,
                b"zset": lambda key: redis.zrange(key, 0, -1),
                b"list": lambda key: redis.lrange(key, 0, -1),
                b"none": lambda _: "gone meanwhile",
            }[redis.type(key)]
            texts.append(f"{key!r} {held(key)!r}")
    return "\n".join(texts)


def documents(url: str) -> str:
    with Elasticsearch(url) as client:
        client.indices.refresh(index="*")
        return str(client.search(index="*", size=1000).body)


def found_in(places: Mapping[str, str]) -> list[tuple[str, str]]:
    """Stores that contain any of the words; bytes are dumped as hexadecimal digits."""
    return [
        (store_name, words)
        for store_name, text in places.items()
        for words in NEVER_AGAIN
        if words.lower() in text.lower() or words.encode().hex() in text.lower()
    ]


@pytest.fixture
def dump_everything(redis_url, elasticsearch_url) -> Callable[[], list[tuple[str, str]]]:
    return lambda: found_in(everything(redis_url, elasticsearch_url))


def send_every_command(person: Client, *movies: int) -> tuple[str, str]:
    """Send one command of each kind; return the playlist and the log position."""
    once = {"Idempotency-Key": str(uuid4())}
    person.put(f"/v1/movies/{movies[0]}/rating", {"score": 9}, **once)
    for movie in movies:
        person.put(f"/v1/movies/{movie}/rating", {"score": 8})
    person.put(f"/v1/movies/{movies[0]}/favourite", None)
    person.put("/v1/movies/40/hidden", None)
    person.put("/v1/me/preferences", {"genres": ["Western"], "public_activity": True})
    body = {"name": WORDS, "description": f"{WORDS}, more of them", "visibility": "public"}
    other = {**person.headers, "Idempotency-Key": str(uuid4())}
    created = person.command.post("/v1/playlists", json=body, headers=other)
    id_ = created.json()["id"]
    at = person.put(f"/v1/playlists/{id_}/movies/{movies[0]}", {}).headers["Log-Position"]
    return id_, at


def user_id_of(person: Client) -> str:
    return str(person.read("/v1/me").json()["id"])


def test_erased_user_is_gone_from_every_store_for_good(
    start, catalogue, register_client, dump_everything, redis_url
):
    platform: Platform = start()
    import_(platform, catalogue)
    zoe, bob, cid = (register_client(platform, name) for name in (NAME, "bob", "cid"))
    playlist, at = send_every_command(zoe, 1, 2, 3)
    bobs = bob.put("/v1/movies/1/rating", {"score": 4}).headers["Log-Position"]
    user_id = user_id_of(zoe)
    assert bob.read(f"/v1/playlists/{playlist}", f"{at},{bobs}").json()["owner"] == NAME
    assert zoe.read("/v1/me/recommendations", at).json()["items"]
    moment = datetime.now(UTC).isoformat()
    past = ("--until", moment, "--into", "then")
    assert platform.manage("rebuild", "library", "playlists", *past) == 0
    assert set(dump_everything()) == {
        ("redis", NAME),
        ("redis", WORDS),
    }  # the address is encrypted everywhere
    gone_id, link = user_id_of(cid), erase_themselves(cid)

    assert platform.manage("erase", EMAIL) == 0
    assert dump_everything() == []
    assert zoe.read("/v1/me").status_code == 401
    assert zoe.put("/v1/movies/1/rating", {"score": 3}).status_code == 401
    assert bob.read(f"/v1/playlists/{playlist}").status_code == 404
    assert bob.read("/v1/playlists").json()["items"] == []
    community = bob.read("/v1/movies/1").json()["community"]
    assert (community["count"], community["average"]) == (2, 6.0)  # statistics without a user
    login = {"login": EMAIL, "password": PASSWORD}
    assert zoe.command.post("/v1/tokens", json=login).status_code == 401
    assert platform.manage("erasure_report", gone_id, "--wait", "60") == 0
    assert_link_says_gone(cid, link)

    assert platform.manage("rebuild", "--all", "--verify") == 0
    names = ("--email", EMAIL, "--username", NAME)
    assert platform.manage("erasure_report", user_id, *names, "--wait", "60") == 0
    assert dump_everything() == []
    with Redis.from_url(redis_url) as redis:
        of_library = [key for key in redis.scan_iter("{library.*") if user_id.encode() in key]
    assert of_library == []  # nor in the past generation
    assert user_id_of(bob)


def erase_themselves(person: Client) -> str:
    """Erase over the API; return the link to the status."""
    answer = person.command.request(
        "DELETE", "/v1/me", json={"password": PASSWORD}, headers=dict(person.headers)
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["link"])


def assert_link_says_gone(person: Client, link: str) -> None:
    until(lambda: person.command.get(link).json()["state"] == "gone")
    status = person.command.get(link).json()
    parts = {line["part"].partition(" ")[0]: line["said"] for line in status["lines"]}
    assert (parts["library"], parts["similarity"][:13]) == ("gone", "gone; stays: ")
    assert person.read("/v1/me").status_code == 401


def test_older_backup_of_the_log_restores_no_erased_user(vault_database, keys, redis_url):
    """The vault has its own backup and remembers the erasure."""
    user = tell_of_zoe()
    backup = dump(os.environ["MARQUEE_DATABASE_URL"])
    call_command("erase", NAME, "--wait", "0", stdout=StringIO(), stderr=StringIO())

    restore(backup)
    store = PostgresStore(config().partitions)
    events = [event for page in all_batches(store) for event in page]
    assert str(user) in repr(events)
    assert found_in({"what can be read": repr(EventDecryptor().decrypt_all(events))}) == []
    assert subjects.find(EMAIL) is None
    assert any(str(user) in key for key in library(store))

    call_command("erase", "--restored", stdout=StringIO())
    assert not any(str(user) in key for key in library(store))
    assert erasures.is_erased(user)


def tell_of_zoe() -> UUID:
    user = uuid4()
    key = subjects.reserve(user, username=NAME, email=EMAIL, password_hash="")
    subjects.activate(user)
    id_ = playlist_id(str(user), config().partitions, bytes(10))
    events: dict[str, AnyEvent] = {
        f"user-{user}": UserRegistered(
            user_id=user,
            username=encrypt_field(key, subject=user, field="username", text=NAME),
            email=encrypt_field(key, subject=user, field="email", text=EMAIL),
        ),
        f"rating-{user}-1": MovieRated(user_id=user, movie_id=1, score=9),
        f"playlist-{id_}": PlaylistCreated(
            playlist_id=id_,
            user_id=user,
            name=encrypt_field(key, subject=user, field=PLAYLIST_NAME, text=WORDS),
        ),
    }
    entries = [AppendEntry(Stream(name, str(user)), 1, event) for name, event in events.items()]
    PostgresStore(config().partitions).append_many(entries, origin=Origin(correlation_id=user))
    return user


def restore(backup: str) -> None:
    """Restore the log's database from the dump; the vault stays as it is."""
    url = os.environ["MARQUEE_DATABASE_URL"]
    connections["default"].close()
    name = url.rpartition("/")[2]
    drop_database(url, name)
    create_database(url, name)
    run([tool("psql"), "--quiet", f"--dbname={url}"], input=backup, text=True, check=True)


def all_batches(store: PostgresStore) -> list[Sequence[Recorded]]:
    return [store.page(partition, after=0, limit=1000) for partition in range(store.partitions)]


def library(store: PostgresStore) -> Mapping[str, object]:
    """The library folded from the current log and vault."""
    model, decryptor, folded = Library(Redis(), 1), EventDecryptor(), InMemoryRedis()
    for batch in all_batches(store):
        if batch:
            shard = model.shard(batch[0].partition)
            folded.apply(model.writes(shard, model.decrypted(batch, decryptor.decrypt_all)))
    return folded.values
