"""What do the staff see of the sync with TMDb?"""

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
    """The last run of each kind, and what all of them did."""

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
        "told",
    )
    readonly_fields = ("standing", "did", "in_all", "told")

    def shown(self, rows: QuerySet[SyncRun]) -> Sequence[SyncRun]:
        """With whether each is at work."""
        busy = running_jobs()
        return [_looked_at(run, busy) for run in super().shown(rows)]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> SyncRun:
        """The same."""
        return _looked_at(super().get_object(request, object_id, from_field), running_jobs())

    @admin.display(description="state")
    def standing(self, run: Any) -> str:
        """How it ended, or whether it is at work."""
        return state_of(run, is_running=run.is_at_work)

    @admin.display(description="did")
    def did(self, run: SyncRun) -> str:
        """What came of it so far."""
        return counted(run.counts)

    @admin.display(description="in all")
    def in_all(self, run: SyncRun) -> str:
        """What all runs did."""
        return counted(run.in_all())

    @admin.display(description="to be known")
    def told(self, run: SyncRun) -> str:
        """What a person should know."""
        return "\n".join(run.words)


def _looked_at(run: SyncRun, busy: Collection[str]) -> SyncRun:
    run.is_at_work = run.kind in busy  # type: ignore[attr-defined] # as annotations are
    return run


_STATES: Mapping[str, tuple[str, Q]] = {
    "wanted": ("to be fetched", Q(wanted_at__isnull=False)),
    "gone": ("gone from TMDb", Q(gone_at__isnull=False)),
    "unreadable": ("could not be read", ~Q(fault="")),
}


class StateFilter(admin.SimpleListFilter):
    """By what is the matter with a film; there is an index of each."""

    title = parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> Sequence[tuple[str, str]]:
        """What can be the matter."""
        return [(name, said) for name, (said, _) in _STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TmdbFilm]) -> QuerySet[TmdbFilm]:
        """Films with which that is the matter."""
        _, chosen = _STATES.get(self.value() or "", ("", Q()))
        return queryset.filter(chosen)


class FilmAdmin(ReadOnlyAdmin):
    """Films at TMDb that were fetched, or are to be."""

    list_display = ("tmdb_id", "wanted_at", "fetched_at", "gone_at", "fault")
    list_filter = (StateFilter,)
    search_fields = ("tmdb_id",)
    search_help_text = "An id at TMDb."
    ordering = ("tmdb_id",)
    has_page_for_each = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[TmdbFilm], search_term: str
    ) -> tuple[QuerySet[TmdbFilm], bool]:
        """By id."""
        text = search_term.strip()
        if not text:
            return queryset, False
        is_id = text.isascii() and text.isdecimal() and len(text) < 10  # noqa: PLR2004 - digits of an integer
        return (queryset.filter(pk=int(text)) if is_id else queryset.none()), False
