"""Which of Django's own tables are made? None.

Its users, permissions and log of changes are only there for code that imports their models:
accounts live in the vault, and nobody changes anything at the admin pages.
"""

from typing import Any

_UNUSED = frozenset({"admin", "auth", "contenttypes"})


class NoTables:
    """A router of Django's."""

    def allow_migrate(self, db: str, app_label: str, **_hints: Any) -> bool | None:
        """No to those; about all else others are asked."""
        return False if app_label in _UNUSED else None
