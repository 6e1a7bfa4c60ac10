"""State machine: random operations and faults lose, tear and double nothing.

The machine does at random what users, relays, brokers, workers and operators do, and injects
faults: roll back, kill, lose, repeat, shuffle, drop, rebuild. Relay, deciders, followers, read
models and their Redis are the real ones; the broker is a test double. The model beside it is a list
of accepted events for each partition and the reference fold (tests/reference) of the events up to
each read model's checkpoints.

MACHINE_EXAMPLES=1000 runs more examples than a test run does.
"""

import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Event
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from command_api.ratings.decider import RateMovie
from events.bus import BusLost
from events.catalogue import AnyEvent
from events.recorded import Origin, Position, Recorded, Stream
from events.relay import relay as relaying
from events.relay.outbox import LeadershipLost
from events.relay.relay import BusTarget
from events.relay.wakeups import Wakeups
from events.store import EventStore
from projectors.generations.live import Live
from projectors.generations.pointers import Pointers
from query_api.http.read_your_writes import AnswerSource, PositionWait
from tests.fixtures.dying_redis import DyingRedis
from tests.fixtures.position_header import encode_positions
from tests.fixtures.recording import NOON
from tests.machine.broker import Broker, HandPublisher
from tests.machine.projecting import Generation
from tests.machine.stage import InMemory, InPostgres, Stage
from tests.reference import library, movies, reading, trending
from tests.reference.history import (
    MOVIES,
    PARTITIONS,
    PEOPLE,
    Command,
    commands,
    handle_command,
    playlist_setup,
    setup_commands,
)

HOURS = 30
WINDOW = 12

small_counts = st.integers(1, 4)
counts = st.integers(3, 20)
timed_command_lists = st.lists(
    st.tuples(commands, st.integers(0, HOURS * 60)), min_size=5, max_size=10
)
opinions: st.SearchStrategy[list[Command]] = st.lists(
    st.builds(RateMovie, st.sampled_from(PEOPLE[:2]), st.just(1), st.integers(1, 3)),
    min_size=4,
    max_size=4,
)
indexes = st.lists(st.integers(0, 20), min_size=1, max_size=6)


class RacingStore:
    """A log to which a rival appends first, once."""

    def __init__(self, store: EventStore, rival: Callable[[], object]) -> None:
        self._store = store
        self._rival: Callable[[], object] | None = rival

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append(
        self,
        stream: Stream,
        events: Sequence[AnyEvent],
        *,
        expected: int,
        origin: Origin,
        occurred_at: datetime | None = None,
    ) -> Sequence[Recorded]:
        rival, self._rival = self._rival, None
        if rival:
            rival()
        return self._store.append(stream, events, expected=expected, origin=origin)


class Machine(RuleBasedStateMachine):
    """The platform from the log to the read models, step by step."""

    def __init__(self, make_stage: Callable[[], Stage], redis: DyingRedis, broker: Broker) -> None:
        super().__init__()
        redis.flushdb()
        broker.__init__()  # type: ignore[misc]  # the relay holds this object
        self.redis, self.broker, self.stage = redis, broker, make_stage()
        self.store, self.outbox = self.stage.store, self.stage.outbox
        self.ledger: list[list[Recorded]] = [[] for _ in range(PARTITIONS)]
        self.accepted: list[Position] = []
        self.delivered: list[bytes] = []
        self.live = Live(redis)
        self.current = self.make_generation(1)
        self.coming: Generation | None = None
        self.live_number = 1
        self.is_checked = False
        self.paused_session: Any = None
        self.session = self.start_session()

    def make_generation(self, number: int) -> Generation:
        return Generation(self.redis, number, self.store)

    def start_session(self) -> Any:
        self.epoch = self.outbox.acquire_leadership() or 0
        return relaying._BusSession(self.outbox, self.epoch, BusTarget("", "", WINDOW), Wakeups())

    # ------------------------------------------------------------------------------- people

    @initialize(
        beginning=st.sampled_from(
            [(), playlist_setup, setup_commands, setup_commands, setup_commands]
        )
    )
    def begin(self, beginning: Sequence[Command]) -> None:
        self.switch_to(self.current)
        for command in beginning:
            self.note_accepted(handle_command(command, self.store))

    @rule(timed_commands=timed_command_lists)
    def act(self, timed_commands: list[tuple[Command, int]]) -> None:
        for command, minutes in timed_commands:
            self.stage.at(NOON + timedelta(minutes=minutes))
            self.note_accepted(handle_command(command, self.store))

    @rule(timed_commands=timed_command_lists, count=counts)
    def act_and_deliver_everything(
        self, timed_commands: list[tuple[Command, int]], count: int
    ) -> None:
        self.act(timed_commands)
        self.relay_delivers(count)
        self.worker_takes(count)

    @rule(opinions=opinions, rival=opinions)
    def act_while_a_rival_appends_first(
        self, opinions: list[Command], rival: list[Command]
    ) -> None:
        for command, rivals in zip(opinions, rival, strict=False):
            self.note_accepted(handle_command(command, self.racing_store(rivals)))

    def racing_store(self, command: Command) -> EventStore:
        racing_store = RacingStore(
            self.store, lambda: self.note_accepted(handle_command(command, self.store))
        )
        return cast("EventStore", racing_store)  # it forwards all other methods to the store

    @rule(timed_commands=timed_command_lists)
    def act_and_roll_back(self, timed_commands: list[tuple[Command, int]]) -> None:
        self.stage.roll_back(
            lambda: [handle_command(command, self.store) for command, _ in timed_commands]
        )

    def note_accepted(self, handled: Any) -> None:
        """Note accepted events in the ledger: they must never be lost."""
        if handled is not None:
            for recorded in handled.events:
                self.ledger[recorded.partition].append(recorded)
            self.accepted.append(handled.position)

    # ------------------------------------------------------------------------------- the relay

    @rule(count=counts)
    def relay_delivers(self, count: int) -> None:
        self.relay_reads_and_sends()
        self.publisher.arrive(count)
        self.publisher.confirm([0] * count)
        self.relay_polls_and_saves()

    @rule()
    def relay_reads_and_sends(self) -> None:
        self.session._read()
        self.session._send()

    @rule()
    def relay_polls_and_saves(self) -> None:
        self.session._poll()

    @rule(count=small_counts)
    def relay_dies(self, count: int) -> None:
        self.publisher.arrive(count)
        self.publisher.lose()
        self.session = self.start_session()

    @rule(count=small_counts)
    def connection_is_lost(self, count: int) -> None:
        self.publisher.arrive(count)
        self.publisher.lose()
        with pytest.raises(BusLost):
            self.session.run(Event())
        self.session = relaying._BusSession(
            self.outbox, self.epoch, BusTarget("", "", WINDOW), Wakeups()
        )

    @rule()
    def relay_is_paused_past_its_lock(self) -> None:
        self.paused_session = self.session
        self.session = self.start_session()

    @precondition(lambda self: self.paused_session is not None)
    @rule(count=small_counts)
    def paused_relay_resumes(self, count: int) -> None:
        session, self.paused_session = self.paused_session, None
        cursors = self.outbox.cursors()
        session._send()
        session._publisher.arrive(count)
        session._publisher.confirm(range(count))
        try:
            session._poll()
            session._read()
        except LeadershipLost:
            pass
        else:
            raise AssertionError("the deposed relay went on")
        assert self.outbox.cursors() == cursors

    # ------------------------------------------------------------------------------- the broker

    @property
    def publisher(self) -> HandPublisher:
        publisher: HandPublisher = self.session._publisher
        return publisher

    @rule(count=counts)
    def broker_takes(self, count: int) -> None:
        self.publisher.arrive(count)

    @rule(indexes=indexes)
    def broker_confirms(self, indexes: list[int]) -> None:
        self.publisher.confirm(indexes)

    @precondition(lambda self: self.delivered)
    @rule(indexes=indexes)
    def broker_delivers_again(self, indexes: list[int]) -> None:
        for index in indexes:
            message = self.delivered[index % len(self.delivered)]
            self.broker.queue.insert(index % (len(self.broker.queue) + 1), message)

    @precondition(lambda self: len(self.broker.queue) > 1)
    @rule(indexes=indexes)
    def broker_shuffles(self, indexes: list[int]) -> None:
        for index in indexes:
            self.broker.queue.append(self.broker.queue.pop(index % len(self.broker.queue)))

    @precondition(lambda self: self.broker.queue)
    @rule(indexes=indexes)
    def broker_drops(self, indexes: list[int]) -> None:
        for index in indexes:
            if self.broker.queue:
                del self.broker.queue[index % len(self.broker.queue)]

    # ------------------------------------------------------------------------------- workers

    @rule(count=counts)
    def worker_takes(self, count: int) -> None:
        self.deliver(count)

    @rule(count=counts)
    def worker_dies_before_the_acknowledgement(self, count: int) -> None:
        messages = self.deliver(count)
        self.broker.queue[:0] = messages
        self.current.replace_worker()

    @rule(timed_commands=timed_command_lists, count=counts, calls=small_counts)
    def worker_dies_in_the_middle(
        self, timed_commands: list[tuple[Command, int]], count: int, calls: int
    ) -> None:
        self.act(timed_commands)
        self.relay_delivers(count)
        self.redis.calls_left = calls
        messages = self.deliver(count)
        self.redis.calls_left = None
        self.broker.queue[:0] = messages
        self.current.replace_worker()
        if self.coming:
            self.coming.replace_worker()

    @rule()
    def worker_dies(self) -> None:
        self.current.replace_worker()

    @rule()
    def second_worker_starts(self) -> None:
        self.current.start_second_worker()

    @rule(pages=small_counts, limit=small_counts)
    def worker_reads_the_log(self, pages: int, limit: int) -> None:
        self.current.read(pages=pages, limit=limit)
        self.is_checked = False

    def deliver(self, count: int) -> list[bytes]:
        messages = self.broker.queue[:count]
        del self.broker.queue[:count]
        self.delivered += messages
        self.current.apply(messages)
        if self.coming:
            self.coming.apply(messages)
        self.is_checked = False
        return messages

    # ------------------------------------------------------------------------------- operators

    @precondition(lambda self: self.coming is None)
    @rule()
    def rebuild_begins(self) -> None:
        self.coming = self.make_generation(self.current.number + 1)

    @precondition(lambda self: self.coming is not None)
    @rule(pages=counts, limit=counts)
    def rebuild_continues(self, pages: int, limit: int) -> None:
        assert self.coming is not None
        self.coming.read(pages=pages, limit=limit)
        self.is_checked = False

    @precondition(lambda self: self.coming is not None)
    @rule()
    def rebuild_catches_up_and_is_switched_to(self) -> None:
        assert self.coming is not None
        self.coming.catch_up()
        self.current, self.coming = self.coming, None
        self.switch_to(self.current)

    @rule()
    def redis_loses_everything(self) -> None:
        self.redis.flushdb()
        self.switch_to(self.current)
        self.is_checked = False

    def switch_to(self, generation: Generation) -> None:
        Pointers(self.redis).switch({model.name: generation.number for model in generation.models})
        self.live.forget()  # otherwise it would use the old pointer for a moment

    # ------------------------------------------------------------------------------- invariants

    @invariant()
    def log_has_exactly_the_accepted_events(self) -> None:
        assert list(self.store.heads()) == [len(events) for events in self.ledger]

    @invariant()
    def cursors_pass_only_messages_that_the_broker_has(self) -> None:
        for partition, cursor in enumerate(self.outbox.cursors()):
            passed = {Position(partition, nth) for nth in range(1, cursor + 1)}
            assert passed <= self.broker.has

    @invariant()
    def models_equal_the_reference_fold_of_applied_events(self) -> None:
        if not self.is_checked:
            for generation in filter(None, (self.current, self.coming)):
                self.compare(generation)
            self.is_checked = True

    @precondition(lambda self: self.accepted)
    @rule(index=st.integers(0, 50))
    def reached_position_is_visible(self, index: int) -> None:
        position = self.accepted[-1 - index % len(self.accepted)]
        token = encode_positions([position])
        for model, checkpoints in zip(self.current.models, self.current.checkpoints(), strict=True):
            assert self.live.generation(model.name) == self.current.number
            is_reached = not PositionWait(token, "", [AnswerSource(model)]).check().missing
            assert is_reached == (checkpoints[position.partition] >= position.offset)

    @rule()
    def everything_catches_up(self) -> None:
        for generation in filter(None, (self.current, self.coming)):
            generation.catch_up()
        self.is_checked = False

    def compare(self, generation: Generation) -> None:
        """Compare each model with the reference fold of exactly what it has applied."""
        of_movies, of_library, of_trending = map(self.applied_events, generation.checkpoints())
        facts, community = movies.facts(of_movies), movies.community(of_movies)
        for movie in MOVIES:
            card = (facts[movie], community.get(movie, movies.NOBODY)) if movie in facts else None
            assert reading.card(generation.movies, movie) == card
        libraries = library.libraries(of_library)
        for person in PEOPLE:
            expected = libraries.get(person, library.Library())
            assert reading.library(generation.library, person) == expected
        hours = [NOON + timedelta(hours=nth) for nth in range(HOURS + 1)]
        degrees = trending.degrees(of_trending)
        assert reading.degrees(generation.trending, hours, MOVIES) == degrees

    def applied_events(self, checkpoints: Sequence[int]) -> list[Recorded]:
        for partition_events, offset in zip(self.ledger, checkpoints, strict=True):
            assert offset <= len(partition_events), "applied an event that was never accepted"
        return [
            recorded
            for partition_events, offset in zip(self.ledger, checkpoints, strict=True)
            for recorded in partition_events[:offset]
        ]

    def teardown(self) -> None:
        """At the end every event arrives everywhere, once."""
        for partition, expected in enumerate(self.ledger):
            assert list(self.store.page(partition, after=0, limit=1000)) == expected
            versions: dict[str, int] = {}
            for nth, recorded in enumerate(expected, start=1):
                versions[recorded.stream] = versions.get(recorded.stream, 0) + 1
                assert (recorded.offset, recorded.version) == (nth, versions[recorded.stream])
        for _ in range(2 + sum(map(len, self.ledger))):
            self.session._read()
            self.session._send()
            self.publisher.arrive(WINDOW)
            self.publisher.confirm([0] * WINDOW)
            self.session._poll()
        assert self.outbox.cursors() == [len(events) for events in self.ledger]
        rebuilt = self.coming or self.make_generation(self.current.number + 1)
        for generation in (self.current, rebuilt):
            generation.catch_up()
            self.compare(generation)


def play(
    make_stage: Callable[[], Stage], redis: DyingRedis, broker: Broker, *, examples: int
) -> None:
    played = settings(
        max_examples=int(os.environ.get("MACHINE_EXAMPLES", examples)),
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    make_machine = cast("type[Machine]", lambda: Machine(make_stage, redis, broker))
    run_state_machine_as_test(make_machine, settings=played)


@pytest.fixture
def redis(redis_url, keys):
    with DyingRedis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture
def broker(monkeypatch):
    """Broker to which the relay publishes; the relay polls and saves without pauses."""
    memory_broker = Broker()
    monkeypatch.setattr(relaying, "Publisher", memory_broker.connect)
    monkeypatch.setattr(relaying, "_POLL_SECONDS", 0)
    monkeypatch.setattr(relaying, "_SAVE_SECONDS", 0)
    return memory_broker


def test_random_faults_lose_and_tear_nothing_in_memory(redis, broker):
    play(InMemory, redis, broker, examples=30)


def test_random_faults_lose_and_tear_nothing_in_postgres(log_database, redis, broker):
    play(InPostgres, redis, broker, examples=8)
