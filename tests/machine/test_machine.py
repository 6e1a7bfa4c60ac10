"""State machine: random operations and faults lose, tear and double nothing.

A machine does at random what people, relays, brokers, workers and operators do, and what goes wrong
with them: rolls back, kills, loses, repeats, shuffles, drops, rebuilds. Relay, deciders, followers,
read models and their Redis are the real ones; the broker is the test's own. Beside it runs the
plainest model there is: a list of accepted events for each partition, and the reference fold
(tests/reference) of the beginnings that read models say to have taken in.

MACHINE_EXAMPLES=1000 plays it longer than a test run does.
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
    do,
    everyday,
    furnishing,
)

HOURS = 30
WINDOW = 12

few = st.integers(1, 4)
some = st.integers(3, 20)
timed_command_lists = st.lists(
    st.tuples(commands, st.integers(0, HOURS * 60)), min_size=5, max_size=10
)
opinions: st.SearchStrategy[list[Command]] = st.lists(
    st.builds(RateMovie, st.sampled_from(PEOPLE[:2]), st.just(1), st.integers(1, 3)),
    min_size=4,
    max_size=4,
)
indexes = st.lists(st.integers(0, 20), min_size=1, max_size=6)


class Rivalled:
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
        broker.__init__()  # type: ignore[misc]  # the relay knows this very one
        self.redis, self.broker, self.stage = redis, broker, make_stage()
        self.store, self.outbox = self.stage.store, self.stage.outbox
        self.ledger: list[list[Recorded]] = [[] for _ in range(PARTITIONS)]
        self.accepted: list[Position] = []
        self.delivered: list[bytes] = []
        self.live = Live(redis)
        self.now = self.stage_generation(1)
        self.next: Generation | None = None
        self.live_number = 1
        self.is_checked = False
        self.paused_leg: Any = None
        self.leg = self.start_leg()

    def stage_generation(self, number: int) -> Generation:
        return Generation(self.redis, number, self.store)

    def start_leg(self) -> Any:
        self.epoch = self.outbox.acquire_leadership() or 0
        return relaying._BusSession(self.outbox, self.epoch, BusTarget("", "", WINDOW), Wakeups())

    # ------------------------------------------------------------------------------- people

    @initialize(beginning=st.sampled_from([(), furnishing, everyday, everyday, everyday]))
    def begin(self, beginning: Sequence[Command]) -> None:
        self.point_at(self.now)
        for command in beginning:
            self.note(do(command, self.store))

    @rule(timed_commands=timed_command_lists)
    def act(self, timed_commands: list[tuple[Command, int]]) -> None:
        for command, minutes in timed_commands:
            self.stage.at(NOON + timedelta(minutes=minutes))
            self.note(do(command, self.store))

    @rule(timed_commands=timed_command_lists, count=some)
    def act_and_all_goes_well(self, timed_commands: list[tuple[Command, int]], count: int) -> None:
        self.act(timed_commands)
        self.relay_goes_on(count)
        self.worker_takes(count)

    @rule(opinions=opinions, rival=opinions)
    def act_while_another_is_quicker(self, opinions: list[Command], rival: list[Command]) -> None:
        for command, rivals in zip(opinions, rival, strict=False):
            self.note(do(command, self.rivalled(rivals)))

    def rivalled(self, command: Command) -> EventStore:
        rivalled = Rivalled(self.store, lambda: self.note(do(command, self.store)))
        return cast("EventStore", rivalled)  # it forwards all other methods to the store

    @rule(timed_commands=timed_command_lists)
    def act_and_roll_back(self, timed_commands: list[tuple[Command, int]]) -> None:
        self.stage.roll_back(lambda: [do(command, self.store) for command, _ in timed_commands])

    def note(self, handled: Any) -> None:
        """Note accepted events in the ledger: they must never be lost."""
        if handled is not None:
            for recorded in handled.events:
                self.ledger[recorded.partition].append(recorded)
            self.accepted.append(handled.position)

    # ------------------------------------------------------------------------------- the relay

    @rule(count=some)
    def relay_goes_on(self, count: int) -> None:
        self.relay_reads_and_sends()
        self.publisher.arrive(count)
        self.publisher.confirm([0] * count)
        self.relay_hears_and_notes()

    @rule()
    def relay_reads_and_sends(self) -> None:
        self.leg._read()
        self.leg._send()

    @rule()
    def relay_hears_and_notes(self) -> None:
        self.leg._poll()

    @rule(count=few)
    def relay_dies(self, count: int) -> None:
        self.publisher.arrive(count)
        self.publisher.lose()
        self.leg = self.start_leg()

    @rule(count=few)
    def connection_is_lost(self, count: int) -> None:
        self.publisher.arrive(count)
        self.publisher.lose()
        with pytest.raises(BusLost):
            self.leg.run(Event())
        self.leg = relaying._BusSession(
            self.outbox, self.epoch, BusTarget("", "", WINDOW), Wakeups()
        )

    @rule()
    def relay_is_paused_past_its_lock(self) -> None:
        self.paused_leg = self.leg
        self.leg = self.start_leg()

    @precondition(lambda self: self.paused_leg is not None)
    @rule(count=few)
    def paused_relay_goes_on(self, count: int) -> None:
        leg, self.paused_leg = self.paused_leg, None
        cursors = self.outbox.cursors()
        leg._send()
        leg._publisher.arrive(count)
        leg._publisher.confirm(range(count))
        try:
            leg._poll()
            leg._read()
        except LeadershipLost:
            pass
        else:
            raise AssertionError("it went on as if it still led")
        assert self.outbox.cursors() == cursors

    # ------------------------------------------------------------------------------- the broker

    @property
    def publisher(self) -> HandPublisher:
        publisher: HandPublisher = self.leg._publisher
        return publisher

    @rule(count=some)
    def broker_takes(self, count: int) -> None:
        self.publisher.arrive(count)

    @rule(indexes=indexes)
    def broker_confirms(self, indexes: list[int]) -> None:
        self.publisher.confirm(indexes)

    @precondition(lambda self: self.delivered)
    @rule(indexes=indexes)
    def broker_delivers_again(self, indexes: list[int]) -> None:
        for index in indexes:
            again = self.delivered[index % len(self.delivered)]
            self.broker.queue.insert(index % (len(self.broker.queue) + 1), again)

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

    @rule(count=some)
    def worker_takes(self, count: int) -> None:
        self.hand_over(count)

    @rule(count=some)
    def worker_dies_before_the_acknowledgement(self, count: int) -> None:
        messages = self.hand_over(count)
        self.broker.queue[:0] = messages
        self.now.replace_worker()

    @rule(timed_commands=timed_command_lists, count=some, calls=few)
    def worker_dies_in_the_middle(
        self, timed_commands: list[tuple[Command, int]], count: int, calls: int
    ) -> None:
        self.act(timed_commands)
        self.relay_goes_on(count)
        self.redis.calls_left = calls
        messages = self.hand_over(count)
        self.redis.calls_left = None
        self.broker.queue[:0] = messages
        self.now.replace_worker()
        if self.next:
            self.next.replace_worker()

    @rule()
    def worker_dies(self) -> None:
        self.now.replace_worker()

    @rule()
    def another_worker_believes_that_it_is_the_one(self) -> None:
        self.now.take_another_worker()

    @rule(pages=few, limit=few)
    def worker_looks_at_the_log(self, pages: int, limit: int) -> None:
        self.now.read(pages=pages, limit=limit)
        self.is_checked = False

    def hand_over(self, count: int) -> list[bytes]:
        messages = self.broker.queue[:count]
        del self.broker.queue[:count]
        self.delivered += messages
        self.now.take(messages)
        if self.next:
            self.next.take(messages)
        self.is_checked = False
        return messages

    # ------------------------------------------------------------------------------- operators

    @precondition(lambda self: self.next is None)
    @rule()
    def rebuild_begins(self) -> None:
        self.next = self.stage_generation(self.now.number + 1)

    @precondition(lambda self: self.next is not None)
    @rule(pages=some, limit=some)
    def rebuild_goes_on(self, pages: int, limit: int) -> None:
        assert self.next is not None
        self.next.read(pages=pages, limit=limit)
        self.is_checked = False

    @precondition(lambda self: self.next is not None)
    @rule()
    def rebuild_is_level_and_switched(self) -> None:
        assert self.next is not None
        self.next.level()
        self.now, self.next = self.next, None
        self.point_at(self.now)

    @rule()
    def redis_loses_everything(self) -> None:
        self.redis.flushdb()
        self.point_at(self.now)
        self.is_checked = False

    def point_at(self, generation: Generation) -> None:
        Pointers(self.redis).switch({model.name: generation.number for model in generation.models})
        self.live.forget()  # otherwise it would use the old pointer for a moment

    # ------------------------------------------------------------------------------- what must hold

    @invariant()
    def the_log_has_what_was_accepted_and_no_more(self) -> None:
        assert list(self.store.heads()) == [len(of) for of in self.ledger]

    @invariant()
    def the_cursor_passes_only_what_the_broker_has(self) -> None:
        for partition, cursor in enumerate(self.outbox.cursors()):
            passed = {Position(partition, nth) for nth in range(1, cursor + 1)}
            assert passed <= self.broker.has

    @invariant()
    def models_say_what_the_beginnings_that_they_took_in_add_up_to(self) -> None:
        if not self.is_checked:
            for generation in filter(None, (self.now, self.next)):
                self.compare(generation)
            self.is_checked = True

    @precondition(lambda self: self.accepted)
    @rule(index=st.integers(0, 50))
    def a_token_that_is_reached_is_visible(self, index: int) -> None:
        position = self.accepted[-1 - index % len(self.accepted)]
        wanted = encode_positions([position])
        for model, taken in zip(self.now.models, self.now.taken(), strict=True):
            assert self.live.generation(model.name) == self.now.number
            is_reached = not PositionWait(wanted, "", [AnswerSource(model)]).check().missing
            assert is_reached == (taken[position.partition] >= position.offset)

    @rule()
    def all_is_level(self) -> None:
        for generation in filter(None, (self.now, self.next)):
            generation.level()
        self.is_checked = False

    def compare(self, generation: Generation) -> None:
        """Compare each model with the reference fold of exactly what it has applied."""
        of_movies, of_library, of_trending = map(self.beginning, generation.taken())
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

    def beginning(self, taken: Sequence[int]) -> list[Recorded]:
        for of, offset in zip(self.ledger, taken, strict=True):
            assert offset <= len(of), "it took in what nobody accepted"
        return [it for of, offset in zip(self.ledger, taken, strict=True) for it in of[:offset]]

    def teardown(self) -> None:
        """At the end every event arrives everywhere, once."""
        for partition, expected in enumerate(self.ledger):
            assert list(self.store.page(partition, after=0, limit=1000)) == expected
            versions: dict[str, int] = {}
            for nth, recorded in enumerate(expected, start=1):
                versions[recorded.stream] = versions.get(recorded.stream, 0) + 1
                assert (recorded.offset, recorded.version) == (nth, versions[recorded.stream])
        for _ in range(2 + sum(map(len, self.ledger))):
            self.leg._read()
            self.leg._send()
            self.publisher.arrive(WINDOW)
            self.publisher.confirm([0] * WINDOW)
            self.leg._poll()
        assert self.outbox.cursors() == [len(of) for of in self.ledger]
        rebuilt = self.next or self.stage_generation(self.now.number + 1)
        for generation in (self.now, rebuilt):
            generation.level()
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
