"""Django app of the catalogue's tables."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "command_api.catalogue"
    label = "catalogue"
