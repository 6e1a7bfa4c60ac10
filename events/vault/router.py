"""Which database does a model belong to?"""

from typing import Any


class VaultRouter:
    """The vault's tables live in the vault, everything else in the default database."""

    def db_for_read(self, model: Any, **_hints: object) -> str | None:
        """Where to read a model."""
        return "vault" if model._meta.app_label == "vault" else None  # noqa: SLF001 - Django's public name

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **_hints: object) -> bool:
        """Whether an app's tables are made in a database."""
        return (db == "vault") == (app_label == "vault")
