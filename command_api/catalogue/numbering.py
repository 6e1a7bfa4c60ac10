"""Which numbers may be movies' ids, and who gives them out?"""

from django.db.models import Max

from command_api.catalogue.models import Movie

# Catalogue files bring their own ids, up to here; movies that come without one are numbered above,
# so that it does not matter which of them is imported first.
LAST_FILE_ID = 1_000_000


def next_id() -> int:
    """The first id that no movie has or had. Ask while holding the imports' lock (see turn.py)."""
    highest: int | None = Movie.objects.aggregate(highest=Max("pk"))["highest"]
    return max(highest or 0, LAST_FILE_ID) + 1
