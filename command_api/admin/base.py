"""What do all admin pages of a model have in common?

They are read only: nobody has the right to more, and what writes has no address. No list counts,
sorts or filters in a way that takes longer the more rows there are; what is shown beside its rows
is asked for once, of the rows that are on the page.
"""

from collections.abc import Mapping, Sequence
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


class DescribedChangeList(ChangeList):
    """One page of a list."""

    model_admin: "ReadOnlyAdmin"

    def get_results(self, request: HttpRequest) -> None:
        """The rows, with what is shown beside them."""
        super().get_results(request)
        self.result_list = self.model_admin.shown(self.result_list)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # it is not generic when it runs
    """The list of a model, and a page for each row."""

    actions = None
    paginator = EstimatedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by: ClassVar[tuple[str, ...]] = ()
    list_per_page = list_max_show_all = 100
    view_on_site = False
    has_page_for_each: ClassVar[bool] = True

    def described(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with what other tables say of each."""
        return rows

    def shown(self, rows: QuerySet[Any]) -> Sequence[Any]:
        """The rows of one page of the list, described.

        Their ids first, which an index alone tells: what is said of a row costs something, and the
        rows of all pages before this one are passed over.
        """
        ids = list(rows.values_list("pk", flat=True))
        found = self.described(self._all().filter(pk__in=ids)).in_bulk()
        return [found[id_] for id_ in ids if id_ in found]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """The row of a page, described; where there is none Django would leave a message."""
        try:
            pk = self.opts.pk.to_python(object_id)
            return self.described(self._all()).get(pk=pk)
        except (ObjectDoesNotExist, ValidationError, ValueError) as fault:
            raise Http404 from fault

    def get_urls(self) -> list[URLPattern]:
        """The list, and what leads on from it."""
        view, name = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        found = [path("", view(self.changelist_view), name=f"{name}_changelist")]
        if self.has_page_for_each:
            row = path("<path:object_id>/", view(self.change_view), name=f"{name}_change")
            found.append(row)
        return found

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """How a page of the list is made."""
        return DescribedChangeList

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        """What leads to a row's page, if it has one."""
        links = super().get_list_display_links(request, list_display)
        return links if self.has_page_for_each else None

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what a filter is for: anything else could be asked that no index answers."""
        return lookup in [getattr(each, "parameter_name", "") for each in self.list_filter]

    def render_change_form(
        self, request: HttpRequest, context: Mapping[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """A row's page: no form. Django's own would look its table up among its content types."""
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/look.html", {**context, "opts": self.opts})

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody has it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The same."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The same."""
        return False

    def _all(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.all()  # noqa: SLF001 - Django's public name
        return rows


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg] # as above
    """What belongs to a row, on its page; with the rows that it leads to, in one question."""

    extra = 0
    can_delete = False
    template = "admin/rows.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """All in order, with what they lead to."""
        keys = [field.name for field in self.opts.fields if field.is_relation]
        leads_to = [name for name in self.fields or () if name in keys]
        rows = super().get_queryset(request)
        return rows.select_related(*leads_to) if leads_to else rows


def number_of(model: Any, key: str) -> Coalesce:
    """How many rows of a model lead to a row."""
    rows = model.objects.filter(**{key: OuterRef("pk")}).order_by()
    counted = rows.values(key).annotate(n=Count("*")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
