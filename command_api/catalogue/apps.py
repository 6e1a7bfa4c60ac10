"""What does Django call the catalogue?"""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    """The movies, normalised."""

    name = "command_api.catalogue"
    label = "catalogue"
