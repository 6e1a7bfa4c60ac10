"""Rebuild job: the steps of a rebuild in order, and its outcome."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
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
from projectors.rebuild.process_pool import RebuildPool
from projectors.rebuild.progress_view import ProgressView
from projectors.registry import MODELS
from projectors.storage.read_model import ReadModel
from projectors.verification.state import Verdict, verify

_FEW_EVENTS = 2000
"""A backlog this small ends the catch-up: as many events may arrive while it is filled."""
_CATCH_UP_ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class RebuildOptions:
    label: str | None = None
    until: datetime | None = None
    verify: bool = False
    processes: int = 1


class GenerationsDiffer(Exception):
    """The new generations differ from the live ones."""

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        [first, *_] = (verdict for verdict in verdicts if verdict.differences)
        super().__init__(
            "Not switched: the new generations differ from the live ones. They are kept for"
            f" inspection; drop them with: manage.py generations drop {first.model}"
            f" {first.generation}"
        )
        self.verdicts = verdicts


class RebuildJob:
    """A rebuild of some read models, by the label, moment and checks of its options."""

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
        self._verdicts: list[Verdict] = []
        self._filled_events = 0
        self._filled_seconds = self._built_seconds = 0.0
        self._has_workers = True

    def run(self) -> None:
        """Run all steps.

        Raises LabelTaken, GenerationsDiffer, CouldNotCompare, NotTakenOver and StopProjector.
        """
        options = self._options
        self._numbers = plan.numbers(
            self._kinds, self._pointers, label=options.label, until=options.until
        )
        self._models = backfill.open_generations(self._numbers)
        self._screen.watch(self._live, [model.name for model in MODELS])
        with RebuildPool(options.processes) as self._pool:
            if options.until is None:
                self._rebuild_present()
            else:
                self._rebuild_past(plan.offsets_at(self._store, options.until))

    def show_outcome(self, console: Console) -> None:
        """Print what was made, and how fast."""
        table = Table("read model", "generation", "proof" if self._verdicts else "")
        summaries = {verdict.model: verdict.summary for verdict in self._verdicts}
        for name, number in self._numbers.items():
            table.add_row(name, str(number), summaries.get(name, ""))
        console.print(table)
        rate = self._filled_events / self._filled_seconds if self._filled_seconds else 0
        console.print(
            f"{self._filled_events:,} events filled in {self._filled_seconds:.1f} s"
            f" ({rate:,.0f} a second), built in {self._built_seconds:.1f} s;"
            f" {monotonic() - self._began:.1f} s in all.",
            highlight=False,
        )
        if self._options.label:
            console.print(f"Read it with the header As-Of: {self._options.label}.")
            return
        console.print("Switched." + (" All equal." if self._verdicts else ""))
        if not self._has_workers:
            console.print(
                "No projector is running: start one to keep the new generations up to date."
            )

    def _rebuild_present(self) -> None:
        cutover.reclaim(self._numbers, self._pointers)
        self._fill(self._store.heads())
        for _ in range(_CATCH_UP_ROUNDS):
            heads = self._store.heads()
            if sum(heads) - self._filled(heads) // len(self._models) <= _FEW_EVENTS:
                break
            self._fill(heads)
        if self._options.verify:
            self._verify_state()
            # The comparison left the models at different offsets; a builder that reads several of
            # them needs the same ones.
            self._fill(self._store.heads())
        self._build()
        # Events that arrived meanwhile are filled faster here than by the workers.
        self._fill(self._store.heads())
        task = self._screen.begin("taking over", total=None)
        self._has_workers = cutover.take_over(
            self._models, self._store, self._pointers, task.missing
        )
        task.end()

    def _rebuild_past(self, ends: Sequence[int]) -> None:
        self._fill(ends)
        if self._options.verify:
            self._verdicts = [self._compare_with_log(model) for model in self._models]
        self._build()
        for model in self._models:
            purge_past_generation(model, self._store)
        for name, number in self._numbers.items():
            self._pointers.remember(self._options.label or "", name, number)
            mark_finished(name, number)

    # ------------------------------------------------------------------------------ steps

    def _fill(self, until: Sequence[int]) -> None:
        began, before = monotonic(), self._filled(until)
        task = self._screen.begin("filling", total=sum(until) * len(self._models))
        self._pool.fill(self._numbers, until, on_poll=lambda: task.reach(self._filled(until)))
        task.end()
        self._filled_events += (self._filled(until) - before) // len(self._models)
        self._filled_seconds += monotonic() - began

    def _filled(self, until: Sequence[int]) -> int:
        return backfill.progress(self._models, until)

    def _build(self) -> None:
        """Build the derived data, and compare it with the state if asked to."""
        began, partitions = monotonic(), self._store.partitions
        task = self._screen.begin("building", total=derive.progress(self._models, partitions)[1])
        self._pool.build(
            self._numbers,
            partitions,
            self._options.until,
            on_poll=lambda: task.reach(derive.progress(self._models, partitions)[0]),
        )
        task.end()
        self._built_seconds += monotonic() - began
        if self._options.verify:
            self._verify_derived()

    # ------------------------------------------------------------------------------ verification

    def _verify_state(self) -> None:
        task = self._screen.begin("comparing", total=None)
        self._verdicts = [self._compare_state(model, task.advance) for model in self._models]
        task.end()
        self._refuse_if_any_differs()

    def _verify_derived(self) -> None:
        verdicts = {verdict.model: verdict for verdict in self._verdicts}
        for name, problems in derive.check(self._numbers, self._options.until):
            verdicts[name].differs(problems)
        self._refuse_if_any_differs()

    def _refuse_if_any_differs(self) -> None:
        if any(verdict.differences for verdict in self._verdicts):
            raise GenerationsDiffer(self._verdicts)

    def _compare_state(self, model: ReadModel, advance: Callable[[int], None]) -> Verdict:
        """Compare with the live generation if it has the same shape and lacks no events.

        Otherwise compare with a fold of the log.
        """
        with suppress(NotReady):
            live = self._live.open(type(model))
            if plan.is_same_shape(live) and not any(count_parked(live, self._store.partitions)):
                return comparison.compare(
                    model, live, self._store, decrypt=decryptor(), advance=advance
                )
        return self._compare_with_log(model)

    def _compare_with_log(self, model: ReadModel) -> Verdict:
        return verify(model, self._store, decrypt=decryptor())
