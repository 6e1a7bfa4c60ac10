"""Tables of the catalogue and of the bookkeeping of imports and sync.

The catalogue's tables are written by inline_projection.py only, in the
transaction that appends the events.
"""

from datetime import datetime

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q

from command_api.catalogue import demo_version, title_keys

CatalogueVersion = demo_version.CatalogueVersion  # Django loads the tables of this module

WORDS = "simple"
"""PostgreSQL's text search configuration without a language: titles are in many."""
WIKIPEDIA = "wikipedia"
TMDB, IMDB = "tmdb", "imdb"
CATALOGUE = "catalogue"
"""Source of the id that a catalogue file uses for a movie with another id here."""
MOVIELENS = "movielens"
"""Source of a MovieLens data set's film numbers; of a named one ``movielens:NAME``.

Each data set numbers films anew: outside of it the number identifies nothing.
"""


def is_film_number(source: str) -> bool:
    """Whether ids of the source are film numbers of a MovieLens data set."""
    return source.partition(":")[0] == MOVIELENS


class Genre(models.Model):
    """A genre of genres.py."""

    name = models.CharField(max_length=40, primary_key=True)

    class Meta:
        db_table = "genres"

    def __str__(self) -> str:
        return self.name


class Keyword(models.Model):
    name = models.CharField(max_length=200, primary_key=True)

    class Meta:
        db_table = "keywords"

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    """A person of cast or crew; the sources know people by name only."""

    name = models.CharField(max_length=200, unique=True)

    class Meta:
        db_table = "people"
        verbose_name_plural = "people"
        indexes = (
            # Full-text search of the admin pages.
            GinIndex(SearchVector("name", config=WORDS), name="people_by_words"),
        )

    def __str__(self) -> str:
        return self.name


class Movie(models.Model):
    """A movie as the sources describe it now."""

    class Status(models.TextChoices):
        LISTED = "listed"
        WITHDRAWN = "withdrawn"

    id = models.PositiveIntegerField(primary_key=True)
    title = models.CharField(max_length=500)
    title_key = models.CharField(max_length=title_keys.LONGEST, db_default="")
    """title_keys.key of the title."""
    year = models.PositiveSmallIntegerField(null=True)
    overview = models.TextField(null=True)  # noqa: DJ001 - null means unknown
    poster_url = models.CharField(max_length=2000, null=True)  # noqa: DJ001 - as above
    prominence = models.PositiveSmallIntegerField(null=True)
    """How well known it is elsewhere, 0 to 100."""
    original_title = models.CharField(max_length=500, null=True)  # noqa: DJ001 - as above
    original_language = models.CharField(max_length=10, null=True)  # noqa: DJ001 - as above
    released_on = models.DateField(null=True)
    runtime_minutes = models.PositiveIntegerField(null=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.LISTED)
    genres = models.ManyToManyField(Genre, through="MovieGenre", related_name="movies")
    people = models.ManyToManyField(Person, through="Casting", related_name="movies")
    keywords = models.ManyToManyField(Keyword, through="MovieKeyword", related_name="movies")

    class Meta:
        db_table = "movies"
        indexes = (
            # Matching by title and year (title_candidates.py).
            models.Index(fields=["title_key", "year"], name="movie_by_title_and_year"),
            # The admin pages' list, newest first, and its filter by decade.
            models.Index(fields=["-year", "-id"], name="movie_newest_first"),
            # Full-text search of the admin pages.
            GinIndex(SearchVector("title_key", config=WORDS), name="movie_by_words"),
            # Withdrawn movies (movie_lookup.py).
            models.Index(fields=["id"], name="movie_unlisted", condition=~Q(status="listed")),
        )
        constraints = (
            models.CheckConstraint(
                name="movie_status", condition=Q(status__in=("listed", "withdrawn"))
            ),
        )

    def __str__(self) -> str:
        return f"{self.title} ({self.year or '?'})"


class MovieGenre(models.Model):
    """A genre of a movie; the first is its main one."""

    movie = models.ForeignKey(Movie, models.CASCADE, db_index=False)
    # Its index finds the movies of a genre.
    genre = models.ForeignKey(Genre, models.PROTECT)
    place = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "movie_genres"
        constraints = (
            models.UniqueConstraint(fields=["movie", "genre"], name="movie_genre_once"),
            # Also finds a movie's genres in order.
            models.UniqueConstraint(fields=["movie", "place"], name="movie_genre_place"),
        )

    def __str__(self) -> str:
        return f"{self.movie_id}: {self.genre_id}"


class Casting(models.Model):
    """A person in a movie, in order of billing."""

    movie = models.ForeignKey(Movie, models.CASCADE, db_index=False)
    # Its index finds the movies of a cast member.
    person = models.ForeignKey(Person, models.PROTECT)
    billing = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "castings"
        constraints = (
            # Also finds a movie's cast in order.
            models.UniqueConstraint(fields=["movie", "billing"], name="casting_billing"),
        )

    def __str__(self) -> str:
        return f"{self.movie_id}: {self.person_id}"


class MovieDirector(models.Model):
    """A person who directed a movie, as its card names them."""

    movie = models.ForeignKey(Movie, models.CASCADE, related_name="directors", db_index=False)
    # No query asks for the movies of a director.
    person = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)
    place = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "movie_directors"
        constraints = (
            # Also finds a movie's directors in order.
            models.UniqueConstraint(fields=["movie", "place"], name="movie_director_place"),
        )

    def __str__(self) -> str:
        return f"{self.movie_id}: {self.person_id}"


class Credit(models.Model):
    """A person of a movie's crew and their job."""

    movie = models.ForeignKey(Movie, models.CASCADE, related_name="credits", db_index=False)
    # Its index finds the movies of a crew member.
    person = models.ForeignKey(Person, models.PROTECT, related_name="credits")
    job = models.CharField(max_length=100)
    place = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "credits"
        constraints = (
            # Also finds a movie's crew in order.
            models.UniqueConstraint(fields=["movie", "place"], name="credit_place"),
        )

    def __str__(self) -> str:
        return f"{self.movie_id}: {self.person_id}, {self.job}"


class MovieKeyword(models.Model):
    movie = models.ForeignKey(Movie, models.CASCADE, db_index=False)
    # Its index finds the movies of a keyword.
    keyword = models.ForeignKey(Keyword, models.PROTECT)
    place = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "movie_keywords"
        constraints = (
            models.UniqueConstraint(fields=["movie", "keyword"], name="movie_keyword_once"),
            # Also finds a movie's keywords in order.
            models.UniqueConstraint(fields=["movie", "place"], name="movie_keyword_place"),
        )

    def __str__(self) -> str:
        return f"{self.movie_id}: {self.keyword_id}"


class Translation(models.Model):
    movie = models.ForeignKey(Movie, models.CASCADE, related_name="translations", db_index=False)
    language = models.CharField(max_length=10)
    title = models.CharField(max_length=500)

    class Meta:
        db_table = "translations"
        constraints = (
            # Also finds a movie's titles.
            models.UniqueConstraint(fields=["movie", "language"], name="translation_once"),
        )

    def __str__(self) -> str:
        return f"{self.movie_id}: {self.language}"


class ExternalId(models.Model):
    """Another source's id of a movie. A movie may have several ids of one source."""

    # Its index finds a movie's external ids.
    movie = models.ForeignKey(Movie, models.CASCADE, related_name="external_ids")
    source = models.CharField(max_length=40)
    value = models.CharField(max_length=500)

    class Meta:
        db_table = "external_ids"
        constraints = (
            models.UniqueConstraint(
                fields=["source", "value"],
                # A Wikipedia page may be about several movies: it does not identify one.
                condition=~Q(source=WIKIPEDIA),
                name="external_id_identifies",
            ),
            # Also finds the movies of external ids.
            models.UniqueConstraint(fields=["source", "value", "movie"], name="external_id_once"),
        )

    def __str__(self) -> str:
        return f"{self.source}:{self.value}"


class TrendObservation(models.Model):
    """The last observation of another source's trending board."""

    board = models.CharField(max_length=40, primary_key=True)
    source = models.CharField(max_length=40)
    window = models.CharField(max_length=10)
    observed_at = models.DateTimeField()

    class Meta:
        db_table = "trend_observations"
        verbose_name = "board"

    def __str__(self) -> str:
        return f"{self.board} at {self.observed_at}"


class TrendEntry(models.Model):
    board = models.ForeignKey(
        TrendObservation, models.CASCADE, related_name="entries", db_index=False
    )
    # Its index finds the boards of a movie.
    movie = models.ForeignKey(Movie, models.CASCADE, related_name="trends")
    rank = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "trend_entries"
        constraints = (
            # Also finds a board's movies, hottest first.
            models.UniqueConstraint(fields=["board", "rank"], name="trend_entry_rank"),
            models.UniqueConstraint(fields=["board", "movie"], name="trend_entry_once"),
        )

    def __str__(self) -> str:
        return f"{self.board_id}: {self.rank}"


class RatingsImport(models.Model):
    """A file of ratings whose import began; resumed imports shift times by the same amount."""

    digest = models.CharField(max_length=64, primary_key=True)
    shift_seconds = models.BigIntegerField()
    begun_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "ratings_imports"

    def __str__(self) -> str:
        return self.digest


class TmdbFilm(models.Model):
    """A film of TMDb that was fetched or is queued. Bookkeeping, not from events."""

    tmdb_id = models.PositiveIntegerField(primary_key=True)
    wanted_at = models.DateTimeField(null=True)
    """When its fetch is due; null if it is not queued."""
    fetched_at = models.DateTimeField(null=True)
    mark = models.CharField(max_length=200, null=True)  # noqa: DJ001 - null means unknown
    """Its ETag when it was fetched."""
    gone_at = models.DateTimeField(null=True)
    fault = models.CharField(max_length=500, default="")
    """Why it could not be fetched or read; empty when it could."""

    class Meta:
        db_table = "tmdb_films"
        verbose_name = "film at TMDb"
        verbose_name_plural = "films at TMDb"
        indexes = (
            # The fetch queue, longest due first (sync/fetch_queue.py).
            models.Index(
                fields=["wanted_at", "tmdb_id"],
                name="tmdb_films_wanted",
                condition=Q(wanted_at__isnull=False),
            ),
            # The films that were fetched longest ago.
            models.Index(
                fields=["fetched_at"],
                name="tmdb_films_oldest",
                condition=Q(wanted_at=None),
            ),
            # Films gone from TMDb and unreadable films, for admin pages and status; few of either.
            models.Index(
                fields=["tmdb_id"], name="tmdb_films_gone", condition=Q(gone_at__isnull=False)
            ),
            models.Index(fields=["tmdb_id"], name="tmdb_films_unreadable", condition=~Q(fault="")),
        )

    def __str__(self) -> str:
        return str(self.tmdb_id)


class SyncRun(models.Model):
    """The last run of a sync job, and where the next resumes. Bookkeeping, not from events."""

    class State(models.TextChoices):
        NEVER = "never"
        RUNNING = "running"
        DONE = "done"
        WAITING = "waiting"
        REFUSED = "refused"
        FAILED = "failed"

    kind = models.CharField(max_length=20, primary_key=True)
    state = models.CharField(max_length=20, choices=State, default=State.NEVER)
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    """When the last complete run began."""
    cursor = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    totals = models.JSONField(default=dict)
    """Counts of all runs before the last one."""
    words = models.JSONField(default=list)
    note = models.CharField(max_length=1000, default="")

    class Meta:
        db_table = "sync_runs"
        verbose_name = "sync with TMDb"
        verbose_name_plural = "syncs with TMDb"

    def __str__(self) -> str:
        return f"{self.kind}: {self.state}"

    def begin(self, now: datetime) -> None:
        self.state, self.begun_at, self.ended_at = self.State.RUNNING, now, None
        self.totals = self.all_counts()
        self.counts, self.words, self.note = {}, [], ""
        self.save()

    def all_counts(self) -> dict[str, int]:
        names = {*self.totals, *self.counts}
        return {name: self.totals.get(name, 0) + self.counts.get(name, 0) for name in names}

    def end(self, state: "SyncRun.State", now: datetime, note: str) -> None:
        self.state, self.ended_at, self.note = state, now, note[:1000]
        if state == self.State.DONE:
            self.done_at = self.begun_at
        self.save()
