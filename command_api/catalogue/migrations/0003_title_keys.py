from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from command_api.catalogue import title_keys

_BATCH = 1000


def fill(apps: StateApps, _: BaseDatabaseSchemaEditor) -> None:
    """Give movies that are there already what their titles' spellings share."""
    movies = apps.get_model("catalogue", "Movie").objects
    last = 0
    while batch := list(movies.filter(pk__gt=last).order_by("pk")[:_BATCH]):
        last = batch[-1].pk
        for movie in batch:
            movie.title_key = title_keys.key(movie.title)
        movies.bulk_update(batch, ["title_key"])


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0002_details_and_trends")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
