"""Database router: which models belong to which database."""

from typing import Any

_UNUSED_APPS = frozenset({"admin", "auth", "contenttypes"})
"""Django's own, whose models are only imported: accounts live in the vault, and the admin pages are
read-only."""


class VaultRouter:
    """The vault's tables live in the vault, all others in the default database."""

    def db_for_read(self, model: Any, **_hints: object) -> str | None:
        return "vault" if model._meta.app_label == "vault" else None  # noqa: SLF001 - Django's public name

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **_hints: object) -> bool:
        return app_label not in _UNUSED_APPS and (db == "vault") == (app_label == "vault")
