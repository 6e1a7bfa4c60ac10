"""Django app of the vault."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Encryption keys, unique names and credentials."""

    name = "events.vault"
    label = "vault"
