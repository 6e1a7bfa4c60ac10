"""Which tables hold the catalogue?

They are written in the transaction that appends the movie's events (see tables.py), by nobody else.
"""

from django.db import models
from django.db.models import Q

WIKIPEDIA = "wikipedia"


class Genre(models.Model):
    """A name of our table of genres (see genres.py)."""

    name = models.CharField(max_length=40, primary_key=True)

    class Meta:
        db_table = "genres"

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    """Someone who plays in movies; the sources know people by name only."""

    name = models.CharField(max_length=200, unique=True)

    class Meta:
        db_table = "people"

    def __str__(self) -> str:
        return self.name


class Movie(models.Model):
    """A movie as the sources describe it now."""

    class Status(models.TextChoices):
        """Whether people may still have opinions of it."""

        LISTED = "listed"

    id = models.PositiveIntegerField(primary_key=True)
    title = models.CharField(max_length=500)
    year = models.PositiveSmallIntegerField(null=True)
    overview = models.TextField(null=True)  # noqa: DJ001 - none given is not an empty one
    poster_url = models.CharField(max_length=2000, null=True)  # noqa: DJ001 - as above
    status = models.CharField(max_length=20, choices=Status, default=Status.LISTED)
    genres = models.ManyToManyField(Genre, through="MovieGenre", related_name="movies")
    people = models.ManyToManyField(Person, through="Casting", related_name="movies")

    class Meta:
        db_table = "movies"
        indexes = (models.Index(fields=["title", "year"]), models.Index(fields=["year"]))

    def __str__(self) -> str:
        return f"{self.title} ({self.year or '?'})"


class MovieGenre(models.Model):
    """A genre of a movie; the first says most."""

    movie = models.ForeignKey(Movie, models.CASCADE, db_index=False)
    genre = models.ForeignKey(Genre, models.PROTECT)
    place = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "movie_genres"
        constraints = (
            models.UniqueConstraint(fields=["movie", "genre"], name="movie_genre_once"),
            models.UniqueConstraint(fields=["movie", "place"], name="movie_genre_place"),
        )

    def __str__(self) -> str:
        return f"{self.movie_id}: {self.genre_id}"


class Casting(models.Model):
    """A person in a movie, in order of billing."""

    movie = models.ForeignKey(Movie, models.CASCADE, db_index=False)
    person = models.ForeignKey(Person, models.PROTECT)
    billing = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "castings"
        constraints = (
            models.UniqueConstraint(fields=["movie", "billing"], name="casting_billing"),
        )

    def __str__(self) -> str:
        return f"{self.movie_id}: {self.person_id}"


class ExternalId(models.Model):
    """What another source calls a movie. Two of a source's ids may be one movie to us."""

    movie = models.ForeignKey(Movie, models.CASCADE, related_name="external_ids")
    source = models.CharField(max_length=40)
    value = models.CharField(max_length=500)

    class Meta:
        db_table = "external_ids"
        constraints = (
            models.UniqueConstraint(
                fields=["source", "value"],
                # A page of Wikipedia may be about several movies: it does not identify one.
                condition=~Q(source=WIKIPEDIA),
                name="external_id_identifies",
            ),
            models.UniqueConstraint(fields=["source", "value", "movie"], name="external_id_once"),
        )

    def __str__(self) -> str:
        return f"{self.source}:{self.value}"


class RatingsImport(models.Model):
    """A file of ratings whose import was begun; whoever goes on moves times by the same amount."""

    digest = models.CharField(max_length=64, primary_key=True)
    shift_seconds = models.BigIntegerField()
    begun_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "ratings_imports"

    def __str__(self) -> str:
        return self.digest
