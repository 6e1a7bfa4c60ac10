"""Paginator with a bounded count.

Up to a limit rows are counted. Beyond it a whole table's count is PostgreSQL's last estimate, and a
filtered list ends at the limit: to see more, filter further.
"""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db import connection

EXACT_LIMIT = 10_000
_ESTIMATE = "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass"


class EstimatedPaginator(Paginator):  # type: ignore[type-arg] # it is not generic when it runs
    object_list: Any  # a query set

    @cached_property
    def count(self) -> int:
        """Number of rows that can be paged through."""
        if not self.object_list.query.where and (estimated := self._estimate()) > EXACT_LIMIT:
            return estimated
        return min(self._bounded_count, EXACT_LIMIT)

    @property
    def description(self) -> str:
        if self.count > EXACT_LIMIT:
            return f"about {self.count:,}"
        if self._bounded_count > EXACT_LIMIT:
            return f"more than {EXACT_LIMIT:,}"
        return f"{self.count:,}"

    @cached_property
    def _bounded_count(self) -> int:
        count: int = self.object_list.order_by()[: EXACT_LIMIT + 1].count()
        return count

    def _estimate(self) -> int:
        table = self.object_list.model._meta.db_table  # noqa: SLF001 - Django's public name
        with connection.cursor() as cursor:
            cursor.execute(_ESTIMATE, [table])
            [(estimated,)] = cursor.fetchall()
        return int(estimated)
