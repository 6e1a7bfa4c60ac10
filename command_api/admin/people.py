"""What do the staff see of people, genres and keywords?"""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from command_api.admin.base import ReadOnlyAdmin, ReadOnlyInline, number_of
from command_api.admin.full_text_search import holding
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
    """What somebody plays in."""

    model = Casting
    verbose_name_plural = "in the cast of"
    fields = ("movie", "billing")
    ordering = ("-movie__year", "movie")


class WorkInline(ReadOnlyInline):
    """What somebody made."""

    model = Credit
    fields = ("movie", "job")
    ordering = ("-movie__year", "movie")


class PersonAdmin(ReadOnlyAdmin):
    """People, by name."""

    list_display = ("name", "roles", "works")
    search_fields = ("name",)
    search_help_text = "Parts of the name, in any order, or how they begin."
    ordering = ("name",)
    fields = ("name",)
    inlines = (RoleInline, WorkInline)

    def described(self, rows: QuerySet[Person]) -> QuerySet[Person]:
        """With how much there is of them."""
        return rows.annotate(
            role_count=number_of(Casting, "person"), work_count=number_of(Credit, "person")
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Person], search_term: str
    ) -> tuple[QuerySet[Person], bool]:
        """By the words of the name."""
        text = search_term.strip()
        if not text:
            return queryset, False
        return holding(queryset, "name", text).order_by(Lower("name"), "id"), False  # see words.py

    @admin.display(description="in the cast of")
    def roles(self, person: Any) -> int:
        """How many movies they play in."""
        return int(person.role_count)

    @admin.display(description="credits")
    def works(self, person: Any) -> int:
        """How often they are named among those who made a movie."""
        return int(person.work_count)


class GenreAdmin(ReadOnlyAdmin):
    """Genres, with how many movies there are of each."""

    list_display = ("name", "number")
    ordering = ("name",)
    has_page_for_each = False

    def described(self, rows: QuerySet[Genre]) -> QuerySet[Genre]:
        """With the number of movies, off the index alone."""
        return rows.annotate(movie_count=number_of(MovieGenre, "genre"))

    @admin.display(description="movies")
    def number(self, genre: Any) -> str:
        """How many, and the way there."""
        return _movies("genre", genre)


class KeywordAdmin(ReadOnlyAdmin):
    """Keywords, with how many movies there are of each."""

    list_display = ("name", "number")
    search_fields = ("name",)
    search_help_text = "How the keyword begins."
    ordering = ("name",)
    has_page_for_each = False

    def described(self, rows: QuerySet[Keyword]) -> QuerySet[Keyword]:
        """With the number of movies."""
        return rows.annotate(movie_count=number_of(MovieKeyword, "keyword"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Keyword], search_term: str
    ) -> tuple[QuerySet[Keyword], bool]:
        """By its beginning."""
        text = search_term.strip()
        return (queryset.filter(name__startswith=text) if text else queryset), False

    @admin.display(description="movies")
    def number(self, keyword: Any) -> str:
        """How many, and the way there."""
        return _movies("keyword", keyword)


def _movies(parameter: str, row: Any) -> str:
    where = reverse("admin:catalogue_movie_changelist")
    return format_html(
        '<a href="{}?{}">{}</a>', where, urlencode({parameter: row.pk}), row.movie_count
    )
