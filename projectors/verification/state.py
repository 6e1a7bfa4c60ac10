"""Does a read model hold what the log says, no more and no less?

Each shard is held for the moment of reading it; then the log is folded up to the very offsets that
the shard has taken in, through the model's own ``writes``, and compared key by key. What the shard
has set aside is left out of the fold, too, and counted. Derived data is no part of this: builders
that can, recompute theirs (``VerifiableBuilder``).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol, runtime_checkable

from events.recorded import Recorded
from events.store import EventStore
from projectors.storage.read_model import Decrypt, ReadModel, leave_encrypted
from projectors.storage.shard import Shard
from projectors.verification.fold import Hash, InMemoryRedis, RedisSet, SortedSet, Value
from projectors.verification.snapshot import ShardSnapshot, read

PAGE = 1000
_SHOWN = 20
_LONGEST_SHOWN = 200

Advance = Callable[[int], None]
"""Told how many more events were folded."""


@runtime_checkable
class VerifiableBuilder(Protocol):
    """A builder that can compare what it built with what it would build now."""

    def check(self, now: datetime) -> list[str]:
        """What differs, a line each; waits a moment for what is still being built."""


@runtime_checkable
class Sampling(Protocol):
    """A builder that looks at some only where all would take too long."""

    sample: str
    """At which it did, in words; nothing if at all there is."""


@dataclass(kw_only=True)
class Verdict:
    """What was found out about one generation of a model."""

    model: str
    generation: int
    shards: int = 0
    events: int = 0
    keys: int = 0
    differences: int = 0
    parked: int = 0
    """Events that are set aside, and so in neither of the two that are compared."""
    streams: int = 0
    """Of so many streams."""
    skipped: int = 0
    """Events that somebody gave up."""
    sample: str = ""
    """Which part of what is built was made anew to be compared, if not all of it."""
    shown: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        """The verdict in words, with what was not compared, since it is in neither."""
        parts = [f"{self.differences:,} differ" if self.differences else "equal"]
        if self.parked:
            parts.append(
                f"{_counted(self.parked, 'event')} of {_counted(self.streams, 'stream')} parked"
            )
        if self.skipped:
            parts.append(f"{self.skipped:,} skipped")
        if self.sample:
            parts.append(self.sample)
        return ", ".join(parts)

    def takes_in(self, builder: object, problems: Iterable[str]) -> None:
        """Count what a builder found to differ, and keep at what it looked."""
        self.differs(problems)
        if isinstance(builder, Sampling):
            self.sample = builder.sample

    def differs(self, problems: Iterable[str]) -> None:
        """Count what differs, and keep the first to show."""
        for problem in problems:
            self.differences += 1
            if len(self.shown) < _SHOWN:
                self.shown.append(problem)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def verify(
    model: ReadModel, store: EventStore, *, advance: Advance, decrypt: Decrypt = leave_encrypted
) -> Verdict:
    """Compare the state of all shards with the log, one after the other."""
    verdict = Verdict(model=model.name, generation=model.generation)
    candidates = state_keys(model, store.partitions)
    fold = partial(_fold, model, store, decrypt)
    for shard, partitions in shards(model, store.partitions).items():
        prefix = shard.state("")
        live = read(model.redis, shard, candidates.get(prefix, []))
        said = fold(shard, partitions, live, advance)
        if set(said) - set(live.state):
            # Keys that came up after the candidates were looked for, or are missing: look again.
            live = read(model.redis, shard)
            said = fold(shard, partitions, live, lambda _: None)
        verdict.shards += 1
        verdict.events += sum(live.checkpoints.values())
        verdict.keys += len(said)
        verdict.parked += len(live.unapplied.parked)
        verdict.streams += len(set(live.unapplied.parked.values()))
        verdict.skipped += len(live.unapplied.skipped)
        verdict.differs(differences(live.state, said))
    return verdict


def shards(model: ReadModel, partitions: int) -> dict[Shard, list[int]]:
    """The shards of a model, and the partitions that each takes in."""
    found: dict[Shard, list[int]] = {}
    for partition in range(partitions):
        found.setdefault(model.shard(partition), []).append(partition)
    return found


def state_keys(model: ReadModel, partitions: int) -> dict[str, list[str]]:
    """All keys of a model's state by its shard's prefix, from one walk through Redis for all."""
    prefixes = {shard.state("") for shard in shards(model, partitions)}
    found: dict[str, list[str]] = {}
    for raw in model.redis.scan_iter(match=f"{{{model.name}.{model.generation}.*", count=1000):
        name = raw.decode()
        prefix = name[: name.index("}") + 1] + ":state:"
        if prefix in prefixes and name.startswith(prefix):
            found.setdefault(prefix, []).append(name)
    return {prefix: sorted(set(names)) for prefix, names in found.items()}


def _fold(
    model: ReadModel,
    store: EventStore,
    decrypt: Decrypt,
    shard: Shard,
    partitions: Sequence[int],
    live: ShardSnapshot,
    advance: Advance,
) -> Mapping[str, Value]:
    folded = InMemoryRedis()
    prefix = shard.state("")
    for partition in partitions:
        for batch in _events(store, partition, through=live.checkpoints.get(partition, 0)):
            taken = [recorded for recorded in batch if recorded.position not in live.unapplied]
            if taken:
                writes = model.writes(shard, model.read(taken, decrypt))
                folded.apply(write for write in writes if str(write[1]).startswith(prefix))
            advance(len(batch))
    return folded.values


def _events(store: EventStore, partition: int, *, through: int) -> Iterator[Sequence[Recorded]]:
    after = 0
    while after < through:
        page = store.page(partition, after=after, limit=min(PAGE, through - after))
        if not page:
            return  # the read model knows more than the log: what it has of that will differ
        yield page
        after = page[-1].offset


def differences(live: Mapping[str, Value], said: Mapping[str, Value]) -> Iterator[str]:
    """What the live state has that the log does not say, lacks, or has otherwise."""
    for key in sorted(live.keys() | said.keys()):
        if key not in said:
            yield f"{key}: is there, but the log does not lead to it"
        elif key not in live:
            yield f"{key}: is missing"
        elif live[key] != said[key]:
            yield from (f"{key}{what}"[:_LONGEST_SHOWN] for what in _within(live[key], said[key]))


def _within(live: Value, said: Value) -> Iterator[str]:
    if isinstance(live, Hash | SortedSet) and type(live) is type(said):
        for field_ in sorted(live.keys() | said.keys()):
            if live.get(field_) != said.get(field_):
                pair = _text(live.get(field_)), _text(said.get(field_))
                yield f" {_text(field_)}: is {pair[0]}, should be {pair[1]}"
    elif isinstance(live, RedisSet) and isinstance(said, RedisSet):
        yield from (f" {_text(member)}: should not be there" for member in sorted(live - said))
        yield from (f" {_text(member)}: is missing" for member in sorted(said - live))
    else:
        yield f": is {_text(live)}, should be {_text(said)}"


def _text(value: object) -> str:
    match value:
        case bytes():
            return value.decode(errors="backslashreplace")
        case None:
            return "missing"
        case _:
            return str(value)
