"""Compares the state of a read model with a fold of the event log.

Some hundreds of keys at a time are read together with their checkpoints in one Lua call; the log is
folded up to exactly those offsets through the model's own ``writes``, and compared key by key. The
projector keeps running. Parked and skipped events are left out of the fold, too, and counted.
Derived data is compared by its builders (``Builder.check``).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from redis import Redis

from events.recorded import Position, Recorded
from projectors.storage.read_model import Decrypt, ReadModel, leave_encrypted
from projectors.storage.shard import Shard
from projectors.verification.derived import unequal
from projectors.verification.fold import Hash, InMemoryRedis, RedisSet, SortedSet, Value
from projectors.verification.pages import LogPages
from projectors.verification.snapshot import ShardSnapshot, in_parts, read

PAGE = 1000
_SHOWN = 20
_LONGEST_SHOWN = 200

Advance = Callable[[int], None]
"""Called with the number of events folded since the last call."""


@dataclass(kw_only=True)
class Verdict:
    """The result of comparing one generation of a model."""

    model: str
    generation: int
    shards: int = 0
    events: int = 0
    keys: int = 0
    differences: int = 0
    parked: int = 0
    """Number of parked events, which are on neither side of the comparison."""
    streams: int = 0
    """Number of streams of the parked events."""
    skipped: int = 0
    shown: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """The verdict in words, with what was not compared."""
        parts = [f"{self.differences:,} differ" if self.differences else "equal"]
        if self.parked:
            parts.append(
                f"{_plural(self.parked, 'event')} of {_plural(self.streams, 'stream')} parked"
            )
        if self.skipped:
            parts.append(f"{self.skipped:,} skipped")
        return ", ".join(parts)

    @property
    def lines(self) -> Iterator[str]:
        """The first differences, a line each, and how many are not shown."""
        for line in self.shown:
            yield f"{self.model}: {line}"
        if hidden := self.differences - len(self.shown):
            yield f"{self.model}: and {hidden:,} more"

    def differs(self, problems: Iterable[str]) -> None:
        """Count differences, and keep the first ones to show."""
        for problem in problems:
            self.differences += 1
            if len(self.shown) < _SHOWN:
                self.shown.append(problem)


def _plural(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def verify(
    model: ReadModel,
    log: LogPages,
    *,
    decrypt: Decrypt = leave_encrypted,
    advance: Advance = lambda _: None,
) -> Verdict:
    """Compare the state of all shards with the log, one after the other."""
    verdict = Verdict(model=model.name, generation=model.generation)
    candidates = state_keys(model, log.partitions)
    for shard, partitions in partitions_by_shard(model, log.partitions).items():
        fold = _Fold(model, log, decrypt, shard, partitions, advance)
        _compare(model.redis, candidates.get(shard.state(""), []), fold, verdict)
    return verdict


def _compare(redis: Redis, candidates: Sequence[str], fold: "_Fold", verdict: Verdict) -> None:
    """Compare one shard part by part, each at the checkpoints of its own snapshot."""
    for names in in_parts(candidates):
        verdict.differs(fold.differences(read(redis, fold.shard, names), names))
    # Keys that the projector has added since the candidates were listed, or that are missing.
    others = sorted(fold.folded.values.keys() - set(candidates))
    live = read(redis, fold.shard, others)
    verdict.differs(fold.differences(live, others))
    verdict.shards += 1
    verdict.events += sum(live.checkpoints.values())
    verdict.keys += len(fold.folded.values)
    verdict.parked += len(live.unapplied.parked)
    verdict.streams += len(set(live.unapplied.parked.values()))
    verdict.skipped += len(live.unapplied.skipped)


def partitions_by_shard(model: ReadModel, partitions: int) -> dict[Shard, list[int]]:
    """The partitions of each shard of a model."""
    partitions_of: dict[Shard, list[int]] = {}
    for partition in range(partitions):
        partitions_of.setdefault(model.shard(partition), []).append(partition)
    return partitions_of


def state_keys(model: ReadModel, partitions: int) -> dict[str, list[str]]:
    """All keys of a model's state by its shard's prefix, from one scan of Redis."""
    prefixes = {shard.state("") for shard in model.shards(partitions)}
    names_by_prefix: dict[str, list[str]] = {}
    for raw in model.redis.scan_iter(match=f"{{{model.name}.{model.generation}.*", count=1000):
        name = raw.decode()
        prefix = name[: name.index("}") + 1] + ":state:"
        if prefix in prefixes and name.startswith(prefix):
            names_by_prefix.setdefault(prefix, []).append(name)
    return {prefix: sorted(set(names)) for prefix, names in names_by_prefix.items()}


@dataclass
class _Fold:
    """Expected state of one shard, folded from the log up to each snapshot in turn."""

    model: ReadModel
    log: LogPages
    decrypt: Decrypt
    shard: Shard
    partitions: Sequence[int]
    advance: Advance
    folded: InMemoryRedis = field(default_factory=InMemoryRedis)
    offsets: dict[int, int] = field(default_factory=dict)
    left_out: set[Position] = field(default_factory=set)

    def differences(self, live: ShardSnapshot, names: Iterable[str]) -> Iterator[str]:
        """How the snapshot of these keys differs from the log up to its checkpoints."""
        if self._is_past(live):  # start over; its events were counted before
            self.folded, self.offsets, self.left_out = InMemoryRedis(), {}, set()
            self.advance = lambda _: None
        for partition in self.partitions:
            self._fold(partition, live)
        values = self.folded.values
        return differences(live.state, {name: values[name] for name in names if name in values})

    def _is_past(self, live: ShardSnapshot) -> bool:
        """Whether a parked event was applied since, or Redis went back to an older state."""
        return any(
            live.checkpoints.get(partition, 0) < offset
            for partition, offset in self.offsets.items()
        ) or any(position not in live.unapplied for position in self.left_out)

    def _fold(self, partition: int, live: ShardSnapshot) -> None:
        after, through = self.offsets.get(partition, 0), live.checkpoints.get(partition, 0)
        prefix = self.shard.state("")
        for batch in _events(self.log, partition, after=after, through=through):
            taken = [recorded for recorded in batch if recorded.position not in live.unapplied]
            self.left_out |= {each.position for each in batch if each.position in live.unapplied}
            if taken:
                writes = self.model.writes(self.shard, self.model.decrypted(taken, self.decrypt))
                self.folded.apply(write for write in writes if str(write[1]).startswith(prefix))
            self.advance(len(batch))
        self.offsets[partition] = through


def _events(
    log: LogPages, partition: int, *, after: int, through: int
) -> Iterator[Sequence[Recorded]]:
    while after < through:
        page = log.page(partition, after=after, limit=min(PAGE, through - after))
        if not page:
            return  # the read model is ahead of the log, and will differ
        yield page
        after = page[-1].offset


def differences(live: Mapping[str, Value], expected: Mapping[str, Value]) -> Iterator[str]:
    """Keys of the live state that are surplus, missing or different, a line each."""
    for key in sorted(live.keys() | expected.keys()):
        if key not in expected:
            yield f"{key}: exists, but no event of the log explains it"
        elif key not in live:
            yield f"{key}: is missing"
        elif live[key] != expected[key]:
            yield from (
                f"{key}{what}"[:_LONGEST_SHOWN] for what in _within(live[key], expected[key])
            )


def _within(live: Value, expected: Value) -> Iterator[str]:
    if isinstance(live, Hash | SortedSet) and type(live) is type(expected):
        for name, (actual, wanted) in unequal(live, expected).items():
            yield f" {_printable(name)}: is {_printable(actual)}, should be {_printable(wanted)}"
    elif isinstance(live, RedisSet) and isinstance(expected, RedisSet):
        for member in sorted(live ^ expected):
            wrong = "should not be there" if member in live else "is missing"
            yield f" {_printable(member)}: {wrong}"
    else:
        yield f": is {_printable(live)}, should be {_printable(expected)}"


def _printable(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    return "missing" if value is None else str(value)
