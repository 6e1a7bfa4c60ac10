"""Rebuild job: the steps of a rebuild in order, and its outcome."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from rich.console import Console
from rich.table import Table

from events.store.generations import mark_finished
from events.store.postgres import PostgresStore
from infra import clients
from infra.config import config
from projectors.consumer.decryption import decryptor
from projectors.erasure.coordinator import purge_past_generation
from projectors.generations.live import Live, NotReady
from projectors.generations.pointers import Pointers
from projectors.parking.store import count_parked
from projectors.rebuild import backfill, comparison, cutover, derive, plan
from projectors.rebuild.process_pool import RebuildPool, rebuild_pool
from projectors.rebuild.progress_view import ProgressView
from projectors.registry import MODELS
from projectors.storage.read_model import ReadModel
from projectors.verification.state import Verdict, verify

_NEAR = 2000
"""Events: few enough to be read soon; as many may arrive meanwhile."""
_ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class RebuildOptions:
    """Options of a rebuild."""

    label: str | None = None
    until: datetime | None = None
    is_verified: bool = False
    processes: int = 1


class GenerationsDiffer(Exception):
    """The new generations differ from the live ones."""

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        super().__init__("the new generations differ")
        self.verdicts = verdicts

    @property
    def example(self) -> str:
        """The name and number of one that differs."""
        [first, *_] = (verdict for verdict in self.verdicts if verdict.differences)
        return f"{first.model} {first.generation}"


@dataclass
class RebuildOutcome:
    """The outcome of a rebuild."""

    options: RebuildOptions
    numbers: dict[str, int]
    events: int = 0
    filled_seconds: float = 0.0
    built_seconds: float = 0.0
    seconds: float = 0.0
    verdicts: list[Verdict] = field(default_factory=list)
    has_workers: bool = True

    def show(self, console: Console) -> None:
        """Print the outcome."""
        table = Table("read model", "generation", "proof" if self.verdicts else "")
        summaries = {verdict.model: verdict.summary for verdict in self.verdicts}
        for name, number in self.numbers.items():
            table.add_row(name, str(number), summaries.get(name, ""))
        console.print(table)
        rate = self.events / self.filled_seconds if self.filled_seconds else 0
        console.print(
            f"{self.events:,} events filled in {self.filled_seconds:.1f} s"
            f" ({rate:,.0f} a second), built in {self.built_seconds:.1f} s;"
            f" {self.seconds:.1f} s in all.",
            highlight=False,
        )
        if self.options.label:
            console.print(f"Read it with the header As-Of: {self.options.label}.")
            return
        console.print("Switched." + (" All equal." if self.verdicts else ""))
        if not self.has_workers:
            console.print("No projector is running: start one, or nothing keeps them level.")


class RebuildJob:
    """One rebuild of some read models."""

    def __init__(
        self, kinds: Sequence[type[ReadModel]], options: RebuildOptions, screen: ProgressView
    ) -> None:
        self._kinds = kinds
        self._options = options
        self._screen = screen
        self._store = PostgresStore(config().partitions)
        self._pointers = Pointers(clients.redis())
        self._live = Live(clients.redis())
        self._began = monotonic()

    def run(self) -> RebuildOutcome:
        """Run all steps.

        Raises LabelTaken, GenerationsDiffer, CouldNotCompare, NotTakenOver and StopProjector.
        """
        options = self._options
        numbers = plan.numbers(
            self._kinds, self._pointers, label=options.label, until=options.until
        )
        self._outcome = RebuildOutcome(options, numbers)
        self._models = backfill.opened(numbers)
        self._screen.watch(self._live, [model.name for model in MODELS])
        with rebuild_pool(options.processes) as processes:
            self._processes: RebuildPool = processes
            if options.until is None:
                self._make_present()
            else:
                self._make_past(plan.offsets_at(self._store, options.until))
        self._outcome.seconds = monotonic() - self._began
        return self._outcome

    def _make_present(self) -> None:
        cutover.call_back(self._outcome.numbers, self._pointers)
        self._fill(self._store.heads())
        for _ in range(_ROUNDS):
            if self._behind() <= _NEAR:
                break
            self._fill(self._store.heads())
        if self._options.is_verified:
            self._prove_state()
            # The comparison left each model at other offsets; a builder that reads several models
            # needs them at the same ones.
            self._fill(self._store.heads())
        self._build(None)
        if self._options.is_verified:
            self._prove_built(None)
        # Events that came meanwhile: they are filled faster here than by the workers.
        self._fill(self._store.heads())
        task = self._screen.begin("taking over", total=None)
        self._outcome.has_workers = cutover.take_over(
            self._models, self._store, self._pointers, task.missing
        )
        task.end()

    def _make_past(self, ends: Sequence[int]) -> None:
        self._fill(ends)
        self._build(self._options.until)
        if self._options.is_verified:
            self._outcome.verdicts = [self._folded(model) for model in self._models]
            self._prove_built(self._options.until)
        for model in self._models:
            purge_past_generation(model, self._store)
        for name, number in self._outcome.numbers.items():
            self._pointers.remember(self._options.label or "", name, number)
            mark_finished(name, number)

    # ------------------------------------------------------------------------------ steps

    def _fill(self, until: Sequence[int]) -> None:
        began, before = monotonic(), self._filled(until)
        task = self._screen.begin("filling", total=sum(until) * len(self._models))
        self._processes.fill(
            self._outcome.numbers, until, on_poll=lambda: task.reach(self._filled(until))
        )
        task.end()
        self._outcome.events += (self._filled(until) - before) // len(self._models)
        self._outcome.filled_seconds += monotonic() - began

    def _filled(self, until: Sequence[int]) -> int:
        return backfill.progress(self._models, until)

    def _behind(self) -> int:
        heads = self._store.heads()
        return sum(heads) - self._filled(heads) // len(self._models)

    def _build(self, moment: datetime | None) -> None:
        began = monotonic()
        partitions = self._store.partitions
        task = self._screen.begin("building", total=derive.progress(self._models, partitions)[1])
        self._processes.build(
            self._outcome.numbers,
            partitions,
            moment,
            on_poll=lambda: task.reach(derive.progress(self._models, partitions)[0]),
        )
        task.end()
        self._outcome.built_seconds += monotonic() - began

    # ------------------------------------------------------------------------------ proof

    def _prove_state(self) -> None:
        task = self._screen.begin("comparing", total=None)
        self._outcome.verdicts = [self._compared(model, task.advance) for model in self._models]
        task.end()
        self._refuse_if_any_differs()

    def _prove_built(self, moment: datetime | None) -> None:
        verdicts = {verdict.model: verdict for verdict in self._outcome.verdicts}
        for name, problems in derive.check(self._outcome.numbers, moment):
            verdicts[name].differs(problems)
        self._refuse_if_any_differs()

    def _refuse_if_any_differs(self) -> None:
        if any(verdict.differences for verdict in self._outcome.verdicts):
            raise GenerationsDiffer(self._outcome.verdicts)

    def _compared(self, model: ReadModel, advance: comparison.Advance) -> Verdict:
        """Compare with the live generation, or with a fold of the log.

        The live one is no reference if it has another shape, or parked or skipped events.
        """
        live = self._live_of(model)
        if live is None or any(count_parked(live, self._store.partitions)):
            return self._folded(model)
        return comparison.compare(model, live, self._store, decrypt=decryptor(), advance=advance)

    def _folded(self, model: ReadModel) -> Verdict:
        return verify(model, self._store, advance=lambda _: None, decrypt=decryptor())

    def _live_of(self, model: ReadModel) -> ReadModel | None:
        try:
            live = self._live.open(type(model))
        except NotReady:
            return None
        return live if plan.is_same_shape(live) else None
