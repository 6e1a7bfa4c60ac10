"""Admin pages of the sync with TMDb."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from command_api.admin.base import ReadOnlyAdmin
from command_api.catalogue.models import SyncRun, TmdbFilm
from command_api.sync.job_runner import running_jobs
from command_api.sync.status import counted, state_of


class SyncRunAdmin(ReadOnlyAdmin):
    """The last run of each job, and the totals of all runs."""

    list_display = (
        "kind",
        "state_now",
        "begun_at",
        "ended_at",
        "last_counts",
        "all_counts",
        "note",
    )
    ordering = ("kind",)
    fields = (
        "kind",
        "state_now",
        "begun_at",
        "ended_at",
        "done_at",
        "last_counts",
        "all_counts",
        "note",
        "warnings",
    )
    readonly_fields = ("state_now", "last_counts", "all_counts", "warnings")

    def page_rows(self, rows: QuerySet[SyncRun]) -> Sequence[SyncRun]:
        running = running_jobs()
        return [_with_running_state(run, running) for run in super().page_rows(rows)]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> SyncRun:
        return _with_running_state(
            super().get_object(request, object_id, from_field), running_jobs()
        )

    @admin.display(description="state")
    def state_now(self, run: Any) -> str:
        return state_of(run, is_running=run.is_running_now)

    @admin.display(description="last run")
    def last_counts(self, run: SyncRun) -> str:
        return counted(run.counts)

    @admin.display(description="all runs")
    def all_counts(self, run: SyncRun) -> str:
        return counted(run.all_counts())

    @admin.display(description="warnings")
    def warnings(self, run: SyncRun) -> str:
        return "\n".join(run.words)


def _with_running_state(run: SyncRun, running: Collection[str]) -> SyncRun:
    run.is_running_now = run.kind in running  # type: ignore[attr-defined] # as annotations are
    return run


_STATES: Mapping[str, tuple[str, Q]] = {
    "wanted": ("queued", Q(wanted_at__isnull=False)),
    "gone": ("gone from TMDb", Q(gone_at__isnull=False)),
    "unreadable": ("could not be read", ~Q(fault="")),
}


class StateFilter(admin.SimpleListFilter):
    """Filter by state; each has an index."""

    title = parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> Sequence[tuple[str, str]]:
        return [(name, label) for name, (label, _) in _STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TmdbFilm]) -> QuerySet[TmdbFilm]:
        _, condition = _STATES.get(self.value() or "", ("", Q()))
        return queryset.filter(condition)


class FilmAdmin(ReadOnlyAdmin):
    list_display = ("tmdb_id", "wanted_at", "fetched_at", "gone_at", "fault")
    list_filter = (StateFilter,)
    search_fields = ("tmdb_id",)
    search_help_text = "A TMDb id."
    ordering = ("tmdb_id",)
    has_page_per_row = False

    def search(self, rows: QuerySet[TmdbFilm], text: str) -> QuerySet[TmdbFilm]:
        is_id = text.isascii() and text.isdecimal() and len(text) < 10  # noqa: PLR2004 - digits of an integer
        return rows.filter(pk=int(text)) if is_id else rows.none()
