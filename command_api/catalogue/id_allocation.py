"""Allocation of movie ids: ranges for catalogue files, TMDb and everything else (docs/adr/0015)."""

from django.db.models import Max

from command_api.catalogue.models import Movie

# Catalogue files bring their own ids, up to here. Movies without an id get the next one above, so
# that the order of imports does not matter.
LAST_FILE_ID = 1_000_000
# A film of TMDb gets this plus its TMDb id, so that adding it twice adds one movie.
TMDB_BASE = 1_000_000_000
LAST_TMDB_ID = 2**31 - 1 - TMDB_BASE


def next_id() -> int:
    """The first id that no movie has or had. Call it with ``import_lock`` held."""
    highest: int | None = Movie.objects.filter(pk__lte=TMDB_BASE).aggregate(highest=Max("pk"))[
        "highest"
    ]
    return max(highest or 0, LAST_FILE_ID) + 1
