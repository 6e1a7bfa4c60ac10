"""What does a run of the sync do its work with, and what has come of it so far?"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from command_api.catalogue.tmdb.client import TmdbClient
from command_api.sync.mapping import clean
from events.recorded import Origin
from events.store import EventStore
from infra.progress_bar import ProgressReporter, no_progress

_MOST_WORDS, _LONGEST_WORD = 20, 500


@dataclass
class JobContext:
    """One run of one kind."""

    tmdb: TmdbClient
    store: EventStore
    is_over: Callable[[], bool] = lambda: False
    """Whether it shall stop at the next good place: time is up, or somebody asked for it."""
    note: Callable[[], None] = lambda: None
    """Shows what has come of it to those who watch."""
    watched: ProgressReporter = no_progress
    """Shows who waits for it how far each step of it has come."""
    counts: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)
    """What a person should know, see ``tell``."""
    origin: Origin = field(default_factory=lambda: Origin(correlation_id=uuid4()))

    def tell(self, word: str) -> None:
        """A person should know this, unless there is too much already."""
        cleaned = clean(word, _LONGEST_WORD)
        if len(self.words) < _MOST_WORDS and cleaned not in self.words:
            self.words.append(cleaned)
