"""Where do people and programs read what an API offers?

The contract (OpenAPI 3) is drf-spectacular's, the pages to try it on are drf-yasg's; ``operation``
tells both the same.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from django.urls import URLPattern, URLResolver, path
from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.utils import OpenApiParameter, extend_schema
from drf_spectacular.views import SpectacularAPIView
from drf_yasg import openapi
from drf_yasg.utils import swagger_auto_schema
from drf_yasg.views import get_schema_view
from rest_framework import serializers

from infra.problems import MEDIA_TYPE

Method = TypeVar("Method", bound=Callable[..., Any])
Shape: TypeAlias = type[serializers.Serializer[Any]]

_BEARER: list[Any] = [{"bearer": []}]


class ProblemField(serializers.Serializer[Any]):
    """What is wrong with one field, parameter or header."""

    field = serializers.CharField()
    reason = serializers.CharField()


class ProblemDetails(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = ProblemField(many=True)  # type: ignore[assignment]  # DRF takes fields off the class


def operation(
    name: str,
    *,
    answers: Mapping[int, Shape | None],
    problems: Sequence[int],
    query: Shape | None = None,
    body: Shape | serializers.BaseSerializer[Any] | None = None,
    headers: Mapping[str, str] | None = None,
    needs_token: bool = False,
) -> Callable[[Method], Method]:
    """Describe a view's method: what it takes, how it answers, which problems it may have."""
    takes = dict(headers or {})

    def describe(method: Method) -> Method:
        spectacular = extend_schema(
            operation_id=name,
            parameters=[*([query] if query else []), *map(_header, takes.items())],
            request=body,
            responses={
                **answers,
                **{(status, MEDIA_TYPE): ProblemDetails for status in problems},
            },
            auth=_BEARER if needs_token else [],
        )
        yasg = swagger_auto_schema(
            operation_id=name,
            manual_parameters=[
                openapi.Parameter(header, openapi.IN_HEADER, description=why, type="string")
                for header, why in takes.items()
            ],
            query_serializer=query,
            request_body=body,
            responses={
                **{status: shape or "" for status, shape in answers.items()},
                **dict.fromkeys(problems, ProblemDetails),
            },
            security=_BEARER if needs_token else [],
        )
        described: Method = spectacular(yasg(method))
        return described

    return describe


def _header(taken: tuple[str, str]) -> OpenApiParameter:
    name, why = taken
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=why)


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
