"""Read model of public playlists: newest first, filtered by words in their names.

State: a sorted set of the public ones by when they became public, and a hash with all folded names.
It is only an index: each read checks the playlists themselves (in library) for what may be shown
and to whom.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple, cast

from events.recorded import Recorded
from projectors.read_models.playlists.projection import field_updates
from projectors.storage import replies
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard, Write

_AT_ONCE = 500
MAX_SCANNED = 5000
"""Names read for one page; then it ends short, and the next page continues after them."""


class PublicPlaylist(NamedTuple):
    """A public playlist's id, and when it became public, in milliseconds."""

    since: int
    id: str


class PublicPlaylistPage(NamedTuple):
    """Playlists, the last that became public first."""

    playlists: list[PublicPlaylist]
    next: PublicPlaylist | None
    """The entry after which the next page starts; None on the last page."""


class Playlists(ReadModel):
    name: ClassVar[str] = "playlists"
    version: ClassVar[int] = 1
    by_partition: ClassVar[bool] = False
    purges_erased_users: ClassVar[bool] = True
    decrypts: ClassVar[bool] = True

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        names, public = shard.state("names"), shard.state("public")
        for id_, field, value in field_updates(batch):
            match field, value:
                case "name", None:
                    yield "HDEL", names, id_
                case "name", str(name):
                    yield "HSET", names, id_, name
                case "public", int(since):
                    yield "ZADD", public, since, id_
                case _:
                    yield "ZREM", public, id_

    def newest(
        self, words: Sequence[str], *, limit: int, after: PublicPlaylist | None
    ) -> PublicPlaylistPage:
        """Public playlists whose names have all these words (or words that begin with them)."""
        matches: list[PublicPlaylist] = []
        for _ in range(MAX_SCANNED // _AT_ONCE):
            some, is_end = self._after(after)
            matches += self._named(some, words)
            if len(matches) > limit:
                return PublicPlaylistPage(matches[:limit], matches[limit - 1])
            if is_end:
                return PublicPlaylistPage(matches, None)
            after = some[-1]
        return PublicPlaylistPage(matches, after)

    def _after(self, entry: PublicPlaylist | None) -> tuple[list[PublicPlaylist], bool]:
        """The next entries in order, and whether they are the last."""
        highest = "+inf" if entry is None else entry.since
        start = 0
        while True:
            rows = self._rows(highest, start)
            rest = [row for row in rows if entry is None or row < entry]
            if rest or len(rows) < _AT_ONCE:
                return rest, len(rows) < _AT_ONCE
            start += _AT_ONCE  # a whole batch became public in one millisecond

    def _rows(self, highest: int | str, start: int) -> list[PublicPlaylist]:
        raw = self.redis.zrevrangebyscore(
            self.all.state("public"), highest, "-inf", start=start, num=_AT_ONCE, withscores=True
        )
        rows = cast("list[tuple[bytes, float]]", raw)
        return [PublicPlaylist(int(since), id_.decode()) for id_, since in rows]

    def _named(
        self, entries: Sequence[PublicPlaylist], words: Sequence[str]
    ) -> list[PublicPlaylist]:
        if not words or not entries:
            return list(entries)
        names = replies.hmget(self.redis, self.all.state("names"), [entry.id for entry in entries])
        return [
            entry
            for entry, name in zip(entries, names, strict=True)
            if name is not None and _has(name.decode(), words)
        ]


def _has(name: str, words: Sequence[str]) -> bool:
    """Whether a folded name has words that begin with these."""
    spaced = f" {name}"
    return all(f" {word}" in spaced for word in words)
