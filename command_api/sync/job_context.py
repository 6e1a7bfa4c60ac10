"""Context of one run of a sync job: client, log, counts and warnings."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from command_api.catalogue.models import SyncRun
from command_api.catalogue.tmdb.client import TmdbClient
from command_api.sync.mapping import clean
from events.recorded import Origin
from events.store import EventStore
from infra.progress_bar import ProgressReporter, no_progress

_MOST_WARNINGS, _LONGEST_WARNING = 20, 500


@dataclass
class JobContext:
    tmdb: TmdbClient
    store: EventStore
    row: SyncRun
    """Where the job resumes; its next run, too."""
    is_over: Callable[[], bool] = lambda: False
    """Whether to stop at the next safe place: the time is up, or a signal asked for it."""
    progress: ProgressReporter = no_progress
    counts: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    origin: Origin = field(default_factory=lambda: Origin(correlation_id=uuid4()))

    def save(self) -> None:
        """Save counts, warnings and cursor, so that status and admin pages show them."""
        self.row.counts, self.row.words = dict(self.counts), list(self.warnings)
        self.row.save()

    def warn(self, warning: str) -> None:
        """Keep a warning for status and admin pages, up to a limit."""
        cleaned = clean(warning, _LONGEST_WARNING)
        if len(self.warnings) < _MOST_WARNINGS and cleaned not in self.warnings:
            self.warnings.append(cleaned)
