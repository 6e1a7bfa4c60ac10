"""Where do people and programs read what an API offers?

The contract (OpenAPI 3) is drf-spectacular's, the pages to try it on are drf-yasg's.
"""

from collections.abc import Sequence

from django.urls import URLPattern, URLResolver, path
from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.views import SpectacularAPIView
from drf_yasg import openapi
from drf_yasg.views import get_schema_view


class _Contract(SpectacularAPIView):
    renderer_classes = [OpenApiJsonRenderer2]


def urls(title: str, patterns: Sequence[URLPattern | URLResolver]) -> list[URLPattern]:
    """The contract and the pages for the routes in ``patterns``, and for nothing else."""
    pages = get_schema_view(
        openapi.Info(title=title, default_version="v1"), public=True, patterns=list(patterns)
    )
    return [
        path("openapi.json", _Contract.as_view(patterns=list(patterns)), name="openapi"),
        path("docs/", pages.with_ui("swagger", cache_timeout=0), name="docs"),
        path("redoc/", pages.with_ui("redoc", cache_timeout=0), name="redoc"),
    ]
