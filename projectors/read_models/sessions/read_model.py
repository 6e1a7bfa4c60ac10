"""Read model of revoked sessions, and the check of an access token against it.

State: a hash for each user: ``epoch``, and each revoked family with the Unix time at which its last
access token expires. A later epoch empties it. For an erased user it holds only the mark
``erased``.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from events.recorded import Recorded, partition_of
from infra.config import config
from infra.redis_pipeline import ReadCommands
from projectors.read_models.sessions.projection import EPOCH, ERASED, revocation_changes
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard, Write, hash_writes

_EPOCH = EPOCH.encode()
_ERASED = ERASED.encode()


class SessionRevocations(ReadModel):
    name: ClassVar[str] = "sessions"
    version: ClassVar[int] = 1
    by_partition: ClassVar[bool] = True
    purges_erased_users: ClassVar[bool] = True
    kept_after_erasure: ClassVar[str] = "that their tokens are void"

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        for user, change in revocation_changes([recorded.event for recorded in batch]).items():
            key = shard.state("user", user)
            if change.is_reset:
                yield "DEL", key
            yield from hash_writes(key, change.fields)

    def enqueue(self, pipe: ReadCommands, user: UUID | str) -> None:
        """Enqueue the read of a user's revocations, for ``is_valid``."""
        shard = self.shard(partition_of(str(user), config().partitions))
        pipe.hgetall(shard.state("user", str(user)))


def is_valid(revoked: Mapping[bytes, bytes], family: UUID | str, epoch: int, now: datetime) -> bool:
    """Whether a token of this family and epoch is still valid."""
    if _ERASED in revoked or epoch < int(revoked.get(_EPOCH, 0)):
        return False
    until = revoked.get(str(family).encode())
    return until is None or int(until) < now.timestamp()
