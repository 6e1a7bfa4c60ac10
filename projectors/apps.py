"""Django app of the projectors."""

from django.apps import AppConfig


class ProjectorsConfig(AppConfig):
    """The projectors' commands; read models live in Redis and Elasticsearch, not in tables."""

    name = "projectors"
