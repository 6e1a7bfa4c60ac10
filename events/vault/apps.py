"""What does Django call the vault?"""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Keys of sealed fields, unique names, credentials."""

    name = "events.vault"
    label = "vault"
