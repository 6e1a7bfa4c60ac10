"""Text scan: finds the tables of a database that contain a text.

Every table and every column is searched, also within JSON and bytes.
"""

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from django.db import connections

_COLUMNS = """
SELECT table_name, column_name, data_type FROM information_schema.columns
  JOIN information_schema.tables USING (table_schema, table_name)
 WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'
   AND data_type IN ('text', 'character varying', 'uuid', 'json', 'jsonb', 'bytea')
 ORDER BY table_name, ordinal_position
"""


class TableMatch(NamedTuple):
    """A table that contains the text, and the number of its rows that do."""

    table: str
    rows: int


def tables_with(
    text: str,
    *,
    alias: str,
    only: Collection[str] = (),
    without: Collection[str] = (),
    where: str = "true",
    of: Mapping[str, str | int] = MappingProxyType({}),
) -> Iterator[TableMatch]:
    """The tables with rows that contain the text, ignoring case.

    ``where`` restricts the rows, and ``of`` fills its placeholders.
    """
    with connections[alias].cursor() as cursor:
        for table, columns in _tables(cursor).items():
            if table in without or (only and table not in only):
                continue
            tests = " OR ".join(_has(column, kind) for column, kind in columns)
            cursor.execute(
                f'SELECT count(*) FROM "{table}" WHERE {where} AND ({tests})',  # noqa: S608 - names from the database's own schema
                {"text": text.lower(), "bytes": text.encode(), **of},
            )
            [rows] = cursor.fetchone()
            if rows:
                yield TableMatch(table, rows)


def _tables(cursor: Any) -> Mapping[str, list[tuple[str, str]]]:
    cursor.execute(_COLUMNS)
    columns: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in cursor.fetchall():
        columns.setdefault(table, []).append((column, kind))
    return columns


def _has(column: str, kind: str) -> str:
    if kind == "bytea":
        return f'position(%(bytes)s IN "{column}") > 0'
    return f'strpos(lower("{column}"::text), %(text)s) > 0'
