"""Which numbers have been given to the generations of a read model?"""

from django.db import connections, transaction


def new_generation(model: str, *, version: int, alias: str = "default") -> int:
    """A number that no generation of the model ever had or will have."""
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        # Two workers that start together must not get one number: the second waits for the first.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('generations'), hashtext(%s))", [model]
        )
        cursor.execute(
            "INSERT INTO generations (model, number, version)"
            " SELECT %s, coalesce(max(number), 0) + 1, %s FROM generations WHERE model = %s"
            " RETURNING number",
            [model, version, model],
        )
        return int(cursor.fetchone()[0])


def version_of(model: str, number: int, *, alias: str = "default") -> int | None:
    """The version of the read model's code that a generation was made by."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT version FROM generations WHERE model = %s AND number = %s", [model, number]
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None
