"""Database router of the vault."""

from typing import Any


class VaultRouter:
    """The vault's tables live in the vault, everything else in the default database."""

    def db_for_read(self, model: Any, **_hints: object) -> str | None:
        return "vault" if model._meta.app_label == "vault" else None  # noqa: SLF001 - Django's public name

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **_hints: object) -> bool:
        return (db == "vault") == (app_label == "vault")
