"""Data migrations of the catalogue."""

from importlib import import_module

from django.apps import apps
from django.db import connection

from command_api.catalogue.models import Movie


def test_migration_fills_title_keys_also_of_empty_titles(db):
    with connection.cursor() as cursor:  # as the release before wrote them, without a key
        cursor.execute(
            "INSERT INTO movies (id, title, status)"
            " VALUES (1, '', 'listed'), (2, 'Amélie!', 'listed')"
        )
    import_module("command_api.catalogue.migrations.0003_title_keys").fill(apps, None)
    assert list(Movie.objects.order_by("pk").values_list("title_key", flat=True)) == ["", "amelie"]
