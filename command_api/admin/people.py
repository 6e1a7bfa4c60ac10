"""Admin pages of people, genres and keywords."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.html import format_html

from command_api.admin.base import ReadOnlyAdmin, ReadOnlyInline, count_related, number_column
from command_api.admin.full_text_search import rows_with_words
from command_api.catalogue.models import (
    Casting,
    Credit,
    MovieGenre,
    MovieKeyword,
    Person,
)


class RoleInline(ReadOnlyInline):
    model = Casting
    verbose_name_plural = "in the cast of"
    fields = ("movie", "billing")
    ordering = ("-movie__year", "movie")


class WorkInline(ReadOnlyInline):
    model = Credit
    fields = ("movie", "job")
    ordering = ("-movie__year", "movie")


class PersonAdmin(ReadOnlyAdmin):
    list_display = ("name", "roles", "works")
    search_fields = ("name",)
    search_help_text = "Parts of the name or their beginnings, in any order."
    ordering = ("name",)
    fields = ("name",)
    inlines = (RoleInline, WorkInline)
    roles = number_column("role_count", "in the cast of")
    works = number_column("work_count", "credits")

    def annotate(self, rows: QuerySet[Person]) -> QuerySet[Person]:
        return rows.annotate(
            role_count=count_related(Casting, "person"), work_count=count_related(Credit, "person")
        )

    def search(self, rows: QuerySet[Person], text: str) -> QuerySet[Person]:
        # The order: see full_text_search.py.
        return rows_with_words(rows, "name", text).order_by(Lower("name"), "id")


class _LabelAdmin(ReadOnlyAdmin):
    """Labels of movies, with their numbers of movies, from an index alone."""

    list_display = ("name", "number")
    ordering = ("name",)
    has_page_per_row = False
    labelled: ClassVar[type[MovieGenre | MovieKeyword]]
    key: ClassVar[str]

    def annotate(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        counts = count_related(self.labelled, self.key)
        annotated: QuerySet[Any] = rows.annotate(movie_count=counts)
        return annotated

    @admin.display(description="movies")
    def number(self, row: Any) -> str:
        """The number of movies, as a link to their list."""
        url, query = reverse("admin:catalogue_movie_changelist"), urlencode({self.key: row.pk})
        return format_html('<a href="{}?{}">{}</a>', url, query, row.movie_count)


class GenreAdmin(_LabelAdmin):
    labelled, key = MovieGenre, "genre"


class KeywordAdmin(_LabelAdmin):
    labelled, key = MovieKeyword, "keyword"
    search_fields = ("name",)
    search_help_text = "Beginning of the keyword."

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return rows.filter(name__startswith=text)
