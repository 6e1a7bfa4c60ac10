"""Admin pages of other sources' trending boards."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils import timezone

from command_api.admin.base import ReadOnlyAdmin, ReadOnlyInline, number_of
from command_api.catalogue.models import TrendEntry, TrendObservation
from command_api.sync.status import age


class EntryInline(ReadOnlyInline):
    model = TrendEntry
    verbose_name_plural = "movies"
    fields = ("rank", "movie")
    ordering = ("rank",)


class BoardAdmin(ReadOnlyAdmin):
    """Boards at their last observation."""

    list_display = ("board", "source", "window", "observed_at", "old", "size")
    ordering = ("board",)
    fields = ("board", "source", "window", "observed_at", "old")
    readonly_fields = ("old",)
    inlines = (EntryInline,)

    def described(self, rows: QuerySet[TrendObservation]) -> QuerySet[TrendObservation]:
        """Add the number of movies."""
        return rows.annotate(entry_count=number_of(TrendEntry, "board"))

    @admin.display(description="age")
    def old(self, board: TrendObservation) -> str:
        """Time since the last observation."""
        return age(board.observed_at, timezone.now())

    @admin.display(description="movies")
    def size(self, board: Any) -> int:
        return int(board.entry_count)
