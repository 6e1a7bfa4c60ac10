"""Erasure audit: searches log, vault, Redis and search index for an erased user."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.apps import apps
from redis import Redis

from events.recorded import partition_of
from events.store import EventStore
from events.store.generations import generations
from events.stream_names import erasure_of
from events.text_scan import tables_with
from events.vault import erasures
from projectors.erasure.coordinator import GONE, ErasureStatus
from projectors.read_models.search.engine import SearchEngine
from projectors.read_models.search.read_model import Search
from projectors.read_models.sessions.projection import ERASED
from projectors.registry import MODELS

_AT_ONCE = 500
_SHOWN = 3
_NAMELESS = (b"cache:", *(f"{{{kind.name}.".encode() for kind in MODELS if not kind.decrypts))
"""Keys without users' texts: of models that decrypt nothing, and of caches of their answers. A
movie may have the same title as a username."""
_PLAYLIST_NAMES = (b":state:playlist:", b":state:names")
"""Names of playlists; those of an erased user are removed with their keys."""
_ALL_OF: Mapping[str, tuple[str | int, ...]] = {
    "string": ("GET",),
    "hash": ("HGETALL",),
    "set": ("SMEMBERS",),
    "zset": ("ZRANGE", 0, -1),
    "list": ("LRANGE", 0, -1),
    "stream": ("XRANGE", "-", "+"),
}
_CACHES = ("throttle:", "cache:")
_encode = msgspec.json.Encoder().encode


class SearchTerms(NamedTuple):
    """What is searched for: the id, and on request username and e-mail address."""

    user_id: UUID
    username: str | None = None
    email: str | None = None

    @property
    def ids(self) -> Sequence[str]:
        """The terms that identify the user alone: id and e-mail address."""
        return [str(self.user_id), *([self.email] if self.email else [])]

    @property
    def quoted_username(self) -> str:
        """The username as a whole value of JSON; "" without one."""
        return f'"{self.username}"' if self.username else ""


def search(terms: SearchTerms, store: EventStore, redis: Redis) -> Iterator[ErasureStatus]:
    """Search every place; a status for each."""
    yield _log(terms, store)
    yield _vault(terms)
    yield _tables(terms)
    yield _caches(terms, redis)
    yield _redis(terms, redis)
    yield from _indexes(terms, redis)


def _status(name: str, left: str, searched: str = "") -> ErasureStatus:
    """What is left, or that nothing is."""
    return ErasureStatus(name, is_gone=not left, detail=left or f"{GONE}{searched}")


# ------------------------------------------------------------------------------ databases


def _log(terms: SearchTerms, store: EventStore) -> ErasureStatus:
    user = str(terms.user_id)
    partition = partition_of(user, store.partitions)
    history = store.read(erasure_of(terms.user_id))
    if not history:
        return _status("log", "has no erasure event of this user")
    # A name may be a movie's, too: only events of this user are searched for it.
    where = "partition = %(partition)s AND strpos(data::text, %(user)s) > 0"
    count = 0
    for text, whose in ((terms.email, ""), (terms.quoted_username, user)):
        if text:
            of: dict[str, str | int] = {"partition": partition, "user": whose}
            matches = tables_with(text, alias="default", only=["events"], where=where, of=of)
            count += sum(match.rows for match in matches)
    last = history[-1].position
    return _status(
        "log",
        f"{count} events have name or address in clear" if count else "",
        f": erased at {last.partition}:{last.offset}; what they wrote cannot be decrypted",
    )


def _vault(terms: SearchTerms) -> ErasureStatus:
    left = [f"{left.what} ({left.number})" for left in erasures.remaining_rows(terms.user_id)]
    if not erasures.is_erased(terms.user_id):
        left = left or ["no tombstone"]
    if terms.email:
        left += [match.table for match in tables_with(terms.email, alias="vault")]
    return _status("vault", f"still has {', '.join(left)}" if left else "", ": a tombstone is left")


def _tables(terms: SearchTerms) -> ErasureStatus:
    """All the other tables of both databases."""
    movies = {model._meta.db_table for model in apps.get_app_config("catalogue").get_models()}  # noqa: SLF001 - Django's public name
    kept = {"default": {"events"}, "vault": {"subjects", "erasures", "erasure_lines"}}
    searches = [(text, set[str]()) for text in terms.ids]
    if terms.quoted_username:
        searches.append((terms.quoted_username, movies))
    tables = {
        match.table
        for alias, without in kept.items()
        for text, nameless in searches
        for match in tables_with(text, alias=alias, without=without | nameless)
    }
    return _status("other tables", f"still in {', '.join(sorted(tables))}" if tables else "")


# ------------------------------------------------------------------------------ Redis


def _caches(terms: SearchTerms, redis: Redis) -> ErasureStatus:
    """Drop at once what would expire within a minute."""
    user = str(terms.user_id).encode()
    count = sum(
        int(redis.unlink(key))
        for prefix in _CACHES
        for key in redis.scan_iter(match=f"{prefix}*", count=1000)
        if user in key
    )
    return _status("caches", "", f": {count} counters of requests dropped")


def _redis(terms: SearchTerms, redis: Redis) -> ErasureStatus:
    """Search every key and every value."""
    searched, matching_keys = 0, []
    keys = iter(redis.scan_iter(count=1000))
    while some := list(islice(keys, _AT_ONCE)):
        for key, parts in _contents(redis, some):
            searched += 1
            if _has_trace(terms, key, parts):
                matching_keys.append(key.decode(errors="backslashreplace"))
    left = f"still in {', '.join(matching_keys[:_SHOWN])}" if matching_keys else ""
    return _status("redis", left, f": {searched:,} keys searched")


def _contents(redis: Redis, keys: Sequence[bytes]) -> Iterator[tuple[bytes, list[bytes]]]:
    """The keys that still exist, with everything they hold."""
    with redis.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.type(key)
        kinds = [kind.decode() for kind in pipe.execute()]
        for key, kind in zip(keys, kinds, strict=True):
            # Of other types only the key's name is searched.
            name, *rest = _ALL_OF.get(kind, ("EXISTS",))
            pipe.execute_command(name, key, *rest)  # type: ignore[no-untyped-call]  # of redis-py
        values = pipe.execute(raise_on_error=False)  # a key may be gone, or of another type now
    for key, kind, value in zip(keys, kinds, values, strict=True):
        if kind != "none":
            yield key, list(_flat(value))


def _flat(value: object) -> Iterator[bytes]:
    match value:
        case bytes():
            yield value
        case dict():
            for pair in value.items():
                yield from _flat(pair)
        case list() | tuple() | set():
            for part in value:
                yield from _flat(part)
        case _:  # a number, or nothing
            return


def _has_trace(terms: SearchTerms, key: bytes, parts: list[bytes]) -> bool:
    whole = b"\0".join([key, *parts]).lower()
    if any(text.lower().encode() in whole for text in terms.ids):
        return not _may_stay(terms, key, whole, parts)
    if not terms.username or key.startswith(_NAMELESS) or any(w in key for w in _PLAYLIST_NAMES):
        return False
    name = terms.username.lower().encode()
    return name in whole.split(b"\0") or b'"%s"' % name in whole


def _may_stay(terms: SearchTerms, key: bytes, whole: bytes, parts: list[bytes]) -> bool:
    """Whether the models similarity and sessions may keep it: see ``kept_after_erasure``."""
    if terms.email and terms.email.lower().encode() in whole:
        return False
    if key.startswith(b"{similarity."):
        return b":state:likes:" in key
    own = f":state:user:{terms.user_id}".encode()
    is_own = key.startswith(b"{sessions.") and key.endswith(own)
    return is_own and parts == [ERASED.encode(), b"1"]


# ------------------------------------------------------------------------------ indexes


def _indexes(terms: SearchTerms, redis: Redis) -> Iterator[ErasureStatus]:
    """Search every document for the ids; a name may be any word of a movie's document."""
    for generation in generations([Search.name]):
        if generation.dropped_at is None:
            yield _index(
                terms, f"index {generation.number}", Search(redis, generation.number).index
            )


def _index(terms: SearchTerms, name: str, index: SearchEngine) -> ErasureStatus:
    if index.identity() is None:
        return _status(name, "", ": there is none")
    searched = 0
    movies = index.movies()
    while some := list(islice(movies, _AT_ONCE)):
        for _, document in index.get(some).values():
            searched += 1
            text = _encode(document).decode().lower()
            if any(term.lower() in text for term in terms.ids):
                return _status(name, f"still in the document of {document['id']}")
    return _status(name, "", f": {searched:,} documents searched")
