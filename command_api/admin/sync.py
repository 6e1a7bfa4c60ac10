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

    list_display = ("kind", "standing", "begun_at", "ended_at", "did", "in_all", "note")
    ordering = ("kind",)
    fields = (
        "kind",
        "standing",
        "begun_at",
        "ended_at",
        "done_at",
        "did",
        "in_all",
        "note",
        "warnings",
    )
    readonly_fields = ("standing", "did", "in_all", "warnings")

    def shown(self, rows: QuerySet[SyncRun]) -> Sequence[SyncRun]:
        """Add whether each job runs now."""
        busy = running_jobs()
        return [_looked_at(run, busy) for run in super().shown(rows)]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> SyncRun:
        return _looked_at(super().get_object(request, object_id, from_field), running_jobs())

    @admin.display(description="state")
    def standing(self, run: Any) -> str:
        return state_of(run, is_running=run.is_at_work)

    @admin.display(description="did")
    def did(self, run: SyncRun) -> str:
        """Counts of the last run."""
        return counted(run.counts)

    @admin.display(description="in all")
    def in_all(self, run: SyncRun) -> str:
        """Counts of all runs."""
        return counted(run.in_all())

    @admin.display(description="warnings")
    def warnings(self, run: SyncRun) -> str:
        return "\n".join(run.words)


def _looked_at(run: SyncRun, busy: Collection[str]) -> SyncRun:
    run.is_at_work = run.kind in busy  # type: ignore[attr-defined] # as annotations are
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
    """Films of TMDb that were fetched or are queued."""

    list_display = ("tmdb_id", "wanted_at", "fetched_at", "gone_at", "fault")
    list_filter = (StateFilter,)
    search_fields = ("tmdb_id",)
    search_help_text = "A TMDb id."
    ordering = ("tmdb_id",)
    has_page_for_each = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[TmdbFilm], search_term: str
    ) -> tuple[QuerySet[TmdbFilm], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        is_id = text.isascii() and text.isdecimal() and len(text) < 10  # noqa: PLR2004 - digits of an integer
        return (queryset.filter(pk=int(text)) if is_id else queryset.none()), False
