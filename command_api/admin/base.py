"""Read-only admin pages of a model, fast on tables of any size.

No page writes, and Django's pages that write have no URL. No list counts, sorts or filters in time
that grows with the table. Data of other tables is read in one query for the rows of a page.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from command_api.admin.estimated_count import EstimatedPaginator


class AnnotatedChangeList(ChangeList):
    """A page of a list, with annotated rows."""

    model_admin: "ReadOnlyAdmin"

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = self.model_admin.page_rows(self.result_list)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # it is not generic when it runs
    """A list, and optionally a page for each row."""

    actions = None
    paginator = EstimatedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by: ClassVar[tuple[str, ...]] = ()
    list_per_page = list_max_show_all = 100
    view_on_site = False
    has_page_per_row: ClassVar[bool] = True

    def annotate(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Add data of other tables to the rows; subclasses override it."""
        return rows

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """The rows that match a text; all of them where a list has no search."""
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows that match, each once."""
        text = search_term.strip()
        return (self.search(queryset, text) if text else queryset), False

    def page_rows(self, rows: QuerySet[Any]) -> Sequence[Any]:
        """The rows of one page of the list, annotated.

        The ids come first, from an index alone: annotations are costly, and OFFSET would compute
        them for the rows of all pages before this one.
        """
        ids = list(rows.values_list("pk", flat=True))
        annotated = self.annotate(self._all().filter(pk__in=ids)).in_bulk()
        return [annotated[id_] for id_ in ids if id_ in annotated]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """The annotated row, or 404; Django would redirect with a message instead."""
        try:
            pk = self.opts.pk.to_python(object_id)
            return self.annotate(self._all()).get(pk=pk)
        except (ObjectDoesNotExist, ValidationError, ValueError) as fault:
            raise Http404 from fault

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        urls = [path("", view(self.changelist_view), name=f"{name}_changelist")]
        if self.has_page_per_row:
            row = path("<path:object_id>/", view(self.change_view), name=f"{name}_change")
            urls.append(row)
        return urls

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return AnnotatedChangeList

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        links = super().get_list_display_links(request, list_display)
        return links if self.has_page_per_row else None

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only the parameters of the filters: other look-ups might have no index."""
        return lookup in [getattr(each, "parameter_name", "") for each in self.list_filter]

    def render_change_form(
        self, request: HttpRequest, context: Mapping[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """A row's page without a form; Django's own would query the content types."""
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/look.html", {**context, "opts": self.opts})

    def _all(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.all()  # noqa: SLF001 - Django's public name
        return rows


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg] # as above
    """Related rows on a row's page, with the rows that they refer to, in one query."""

    extra = 0
    can_delete = False
    template = "admin/rows.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        keys = [field.name for field in self.opts.fields if field.is_relation]
        related = [name for name in self.fields or () if name in keys]
        rows = super().get_queryset(request)
        return rows.select_related(*related) if related else rows


def number_column(attribute: str, description: str) -> Callable[[Any, Any], int]:
    """A column of a list with a number that the rows are annotated with."""

    @admin.display(description=description)
    def number(_admin: Any, row: Any) -> int:
        return int(getattr(row, attribute))

    return number


def count_related(model: Any, key: str) -> Coalesce:
    """Number of the model's rows that refer to a row by the foreign key ``key``."""
    rows = model.objects.filter(**{key: OuterRef("pk")}).order_by()
    counts = rows.values(key).annotate(n=Count("*")).values("n")
    return Coalesce(Subquery(counts, output_field=IntegerField()), 0)
