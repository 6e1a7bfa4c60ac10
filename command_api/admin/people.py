"""Admin pages of people, genres and keywords."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from command_api.admin.base import ReadOnlyAdmin, ReadOnlyInline, count_related
from command_api.admin.full_text_search import rows_with_words
from command_api.catalogue.models import (
    Casting,
    Credit,
    Genre,
    Keyword,
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
    """People, by name."""

    list_display = ("name", "roles", "works")
    search_fields = ("name",)
    search_help_text = "Parts of the name or their beginnings, in any order."
    ordering = ("name",)
    fields = ("name",)
    inlines = (RoleInline, WorkInline)

    def annotate(self, rows: QuerySet[Person]) -> QuerySet[Person]:
        """Add the numbers of roles and credits."""
        return rows.annotate(
            role_count=count_related(Casting, "person"), work_count=count_related(Credit, "person")
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Person], search_term: str
    ) -> tuple[QuerySet[Person], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        return rows_with_words(queryset, "name", text).order_by(
            Lower("name"), "id"
        ), False  # see full_text_search.py

    @admin.display(description="in the cast of")
    def roles(self, person: Any) -> int:
        return int(person.role_count)

    @admin.display(description="credits")
    def works(self, person: Any) -> int:
        return int(person.work_count)


class GenreAdmin(ReadOnlyAdmin):
    """Genres, with their numbers of movies."""

    list_display = ("name", "number")
    ordering = ("name",)
    has_page_per_row = False

    def annotate(self, rows: QuerySet[Genre]) -> QuerySet[Genre]:
        """Add the number of movies, from an index alone."""
        return rows.annotate(movie_count=count_related(MovieGenre, "genre"))

    @admin.display(description="movies")
    def number(self, genre: Any) -> str:
        """The number of movies, as a link to their list."""
        return _movies("genre", genre)


class KeywordAdmin(ReadOnlyAdmin):
    """Keywords, with their numbers of movies."""

    list_display = ("name", "number")
    search_fields = ("name",)
    search_help_text = "Beginning of the keyword."
    ordering = ("name",)
    has_page_per_row = False

    def annotate(self, rows: QuerySet[Keyword]) -> QuerySet[Keyword]:
        """Add the number of movies."""
        return rows.annotate(movie_count=count_related(MovieKeyword, "keyword"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Keyword], search_term: str
    ) -> tuple[QuerySet[Keyword], bool]:
        text = search_term.strip()
        return (queryset.filter(name__startswith=text) if text else queryset), False

    @admin.display(description="movies")
    def number(self, keyword: Any) -> str:
        """The number of movies, as a link to their list."""
        return _movies("keyword", keyword)


def _movies(parameter: str, row: Any) -> str:
    url = reverse("admin:catalogue_movie_changelist")
    return format_html(
        '<a href="{}?{}">{}</a>', url, urlencode({parameter: row.pk}), row.movie_count
    )
