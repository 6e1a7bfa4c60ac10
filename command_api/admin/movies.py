"""Admin pages of movies."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, F, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest

from command_api.admin.base import ReadOnlyAdmin, ReadOnlyInline, count_related, number_column
from command_api.admin.full_text_search import rows_with_words
from command_api.catalogue import title_keys
from command_api.catalogue.external_ids import readable_ids
from command_api.catalogue.genres import GENRES
from command_api.catalogue.models import (
    IMDB,
    Casting,
    Credit,
    ExternalId,
    Movie,
    MovieGenre,
    MovieKeyword,
    Translation,
    TrendEntry,
)

FIRST_DECADE, LAST_DECADE = 1890, 2030


class DecadeFilter(admin.SimpleListFilter):
    """Filter by decade, a range of the index that the list is sorted by."""

    title = parameter_name = "decade"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [(str(year), f"{year}s") for year in range(LAST_DECADE, FIRST_DECADE - 1, -10)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Movie]) -> QuerySet[Movie]:
        if self.value() not in dict(self.lookup_choices):
            return queryset
        first = int(self.value() or 0)
        return queryset.filter(year__range=(first, first + 9))


class GenreFilter(admin.SimpleListFilter):
    title = parameter_name = "genre"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [(name, name) for name in GENRES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Movie]) -> QuerySet[Movie]:
        """Movies of the genre. No duplicates: a movie has a genre once."""
        return queryset.filter(genres=self.value()) if self.value() else queryset


class KeywordFilter(admin.SimpleListFilter):
    """Filter by keyword; there are too many to list, so the keywords' page links here."""

    title = parameter_name = "keyword"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        selected = request.GET.get("keyword")
        return [(selected, selected)] if selected else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Movie]) -> QuerySet[Movie]:
        return queryset.filter(keywords=self.value()) if self.value() else queryset


class CastInline(ReadOnlyInline):
    model = Casting
    verbose_name_plural = "cast"
    fields = ("billing", "person")
    ordering = ("billing",)


class CreditInline(ReadOnlyInline):
    model = Credit
    fields = ("job", "person")
    ordering = ("place",)


class KeywordInline(ReadOnlyInline):
    model = MovieKeyword
    verbose_name_plural = "keywords"
    fields = ("keyword",)
    ordering = ("place",)


class ExternalIdInline(ReadOnlyInline):
    model = ExternalId
    fields = ("source", "value")
    ordering = ("source", "value")


class TranslationInline(ReadOnlyInline):
    model = Translation
    fields = ("language", "title")
    ordering = ("language",)


NEWEST_MATCHES = ((F("year") + 0).desc(), F("id").desc())
"""The list's order as an expression without an index (see full_text_search.py)."""
_BOARD_AND_RANK = Concat(F("board"), Value(" #"), Cast("rank", CharField()))


def _rows_of_movie(model: Any) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.filter(movie=OuterRef("pk"))
    return rows


class MovieAdmin(ReadOnlyAdmin):
    list_display = ("name", "year", "genre", "cast", "crew", "popular", "original_language")
    list_filter = (DecadeFilter, GenreFilter, KeywordFilter)
    search_fields = ("title",)
    search_help_text = "Words of the title or their beginnings, in any order; or an IMDb id."
    ordering = ("-year", "-id")
    sortable_by = ("name", "year")
    inlines = (CastInline, CreditInline, KeywordInline, ExternalIdInline, TranslationInline)
    readonly_fields = ("genre", "popular")
    cast = number_column("cast_size", "in the cast")
    crew = number_column("crew_size", "credits")
    fields = (
        "id",
        "title",
        "original_title",
        "original_language",
        "year",
        "released_on",
        "runtime_minutes",
        "genre",
        "popular",
        "prominence",
        "status",
        "overview",
        "poster_url",
    )

    def annotate(self, rows: QuerySet[Movie]) -> QuerySet[Movie]:
        return rows.annotate(
            genre_names=ArraySubquery(_rows_of_movie(MovieGenre).order_by("place").values("genre")),
            boards=ArraySubquery(
                _rows_of_movie(TrendEntry).order_by("board").values(board_and_rank=_BOARD_AND_RANK)
            ),
            cast_size=count_related(Casting, "movie"),
            crew_size=count_related(Credit, "movie"),
        )

    def search(self, rows: QuerySet[Movie], text: str) -> QuerySet[Movie]:
        if text[:2].lower() == "tt" and text[2:].isdecimal():
            return rows.filter(pk__in=_movies_with_imdb_id(text))
        return rows_with_words(rows, "title_key", title_keys.key(text)).order_by(*NEWEST_MATCHES)

    @admin.display(description="title", ordering="title_key")
    def name(self, movie: Movie) -> str:
        """The title, sorted by its key, which has an index."""
        return movie.title

    @admin.display(description="genres")
    def genre(self, movie: Any) -> str:
        return ", ".join(movie.genre_names)

    @admin.display(description="popular at")
    def popular(self, movie: Any) -> str:
        return ", ".join(movie.boards)


def _movies_with_imdb_id(text: str) -> list[int]:
    # As it is, too: earlier releases stored ids as files spelled them.
    spellings = {text, *dict(readable_ids({IMDB: text}, lambda _: None)).values()}
    ids = ExternalId.objects.filter(source=IMDB, value__in=spellings)
    return list(ids.values_list("movie", flat=True))
