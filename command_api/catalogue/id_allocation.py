"""Which numbers may be movies' ids, and who gives them out? (docs/adr/0015)"""

from django.db.models import Max

from command_api.catalogue.models import Movie

# Catalogue files bring their own ids, up to here; movies that come without one are numbered above,
# so that it does not matter which of them is imported first.
LAST_FILE_ID = 1_000_000
# A film that comes from TMDb has its id there above this: whoever adds it, however often, adds one.
TMDB_BASE = 1_000_000_000
LAST_TMDB_ID = 2**31 - 1 - TMDB_BASE


def next_id() -> int:
    """The first id that no movie has or had. Ask while holding the imports' lock (see turn.py)."""
    highest: int | None = Movie.objects.filter(pk__lte=TMDB_BASE).aggregate(highest=Max("pk"))[
        "highest"
    ]
    return max(highest or 0, LAST_FILE_ID) + 1
