"""Admin pages of other sources' trending boards."""

from django.contrib import admin
from django.db.models import QuerySet
from django.utils import timezone

from command_api.admin.base import ReadOnlyAdmin, ReadOnlyInline, count_related, number_column
from command_api.catalogue.models import TrendEntry, TrendObservation
from command_api.sync.status import age


class EntryInline(ReadOnlyInline):
    model = TrendEntry
    verbose_name_plural = "movies"
    fields = ("rank", "movie")
    ordering = ("rank",)


class BoardAdmin(ReadOnlyAdmin):
    """Boards at their last observation."""

    list_display = ("board", "source", "window", "observed_at", "age_text", "size")
    ordering = ("board",)
    fields = ("board", "source", "window", "observed_at", "age_text")
    readonly_fields = ("age_text",)
    inlines = (EntryInline,)
    size = number_column("entry_count", "movies")

    def annotate(self, rows: QuerySet[TrendObservation]) -> QuerySet[TrendObservation]:
        return rows.annotate(entry_count=count_related(TrendEntry, "board"))

    @admin.display(description="age")
    def age_text(self, board: TrendObservation) -> str:
        return age(board.observed_at, timezone.now())
