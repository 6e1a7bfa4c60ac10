"""OpenAPI: the contract of an API, and its Swagger UI and ReDoc pages.

drf-spectacular makes the contract (OpenAPI 3), drf-yasg the pages; ``operation`` describes a view's
method for both.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from threading import Lock
from typing import Any, NamedTuple, TypeAlias, TypeVar

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from drf_yasg import openapi
from drf_yasg.codecs import OpenAPICodecJson
from drf_yasg.generators import OpenAPISchemaGenerator
from drf_yasg.renderers import OpenAPIRenderer, ReDocRenderer, SwaggerUIRenderer
from drf_yasg.utils import swagger_auto_schema
from drf_yasg.views import get_schema_view
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer

from infra.http.health import View, only_read
from infra.http.permissions import Anybody
from infra.http.problem_details import MEDIA_TYPE
from infra.http.strict_json import encode

Method = TypeVar("Method", bound=Callable[..., Any])
Shape: TypeAlias = type[serializers.Serializer[Any]]

# drf-spectacular keeps state in its modules: two generations at once fail.
_generator_lock = Lock()
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


class Headers(NamedTuple):
    """Headers of a request and of its response: name -> description."""

    request: Mapping[str, str] = {}
    response: Mapping[str, str] = {}


def operation(  # noqa: PLR0913 - a keyword for each part of the description
    name: str,
    *,
    answers: Mapping[int, Shape | None],
    problems: Sequence[int],
    query: Shape | None = None,
    body: Shape | serializers.BaseSerializer[Any] | None = None,
    headers: Headers | None = None,
    needs_token: bool = False,
    media_type: str = "application/json",
) -> Callable[[Method], Method]:
    """Describe a view's method: its parameters, responses and problems."""
    taken, given = headers or Headers()
    statuses = sorted(answers)
    response_headers = [_response_header(*header, statuses) for header in given.items()]

    def describe(method: Method) -> Method:
        spectacular = extend_schema(
            operation_id=name,
            parameters=[
                *([query] if query else []),
                *map(_request_header, taken.items()),
                *response_headers,
            ],
            request=body,
            responses={
                **{
                    (status, media_type) if shape else status: shape
                    for status, shape in answers.items()
                },
                **{(status, MEDIA_TYPE): ProblemDetails for status in problems},
            },
            auth=_BEARER if needs_token else [],
        )
        yasg = swagger_auto_schema(
            operation_id=name,
            manual_parameters=[
                openapi.Parameter(header, openapi.IN_HEADER, description=why, type="string")
                for header, why in taken.items()
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


def _request_header(header: tuple[str, str]) -> OpenApiParameter:
    name, why = header
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=why)


def _response_header(name: str, why: str, statuses: Sequence[int]) -> OpenApiParameter:
    return OpenApiParameter(
        name, str, OpenApiParameter.HEADER, description=why, response=list(statuses)
    )


def document(title: str, patterns: Sequence[URLPattern | URLResolver]) -> dict[str, Any]:
    """The contract: what ``/openapi.json`` answers."""
    with patched_settings({"TITLE": title}):
        generator: Any = SchemaGenerator  # drf-spectacular doesn't type it
        contract: dict[str, Any] = generator(patterns=list(patterns)).get_schema(
            request=None, public=True
        )
    return contract


def urls(title: str, patterns: Sequence[URLPattern | URLResolver]) -> list[URLPattern]:
    """Routes of the contract and the pages, which describe ``patterns`` and nothing else."""
    about = openapi.Info(title=title, default_version="v1")
    pages: Any = get_schema_view(about, public=True, permission_classes=(Anybody,), patterns=[])

    @cache
    def contract_json() -> bytes:
        return encode(document(title, patterns))

    @cache
    def swagger_json() -> bytes:
        # Without a request it names no host, so a browser takes the one it came from.
        swagger = OpenAPISchemaGenerator(about, patterns=list(patterns)).get_schema(public=True)
        encoded: bytes = OpenAPICodecJson([]).encode(swagger)
        return encoded

    @only_read
    def contract(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view is given one
        with _generator_lock:
            return HttpResponse(contract_json(), content_type="application/json")

    def page(renderer: type[BaseRenderer]) -> View:
        shown = pages.as_view(renderer_classes=(renderer,))

        @only_read
        def view(request: HttpRequest) -> HttpResponse:
            # The page has one form; DRF would parse what the client accepts, in quadratic time.
            request.META["HTTP_ACCEPT"] = "*/*"
            if request.GET.get("format") != OpenAPIRenderer.format:
                answer: HttpResponse = shown(request)
                return answer
            with _generator_lock:
                return HttpResponse(swagger_json(), content_type=OpenAPIRenderer.media_type)

        return view

    return [
        path("openapi.json", contract, name="openapi"),
        path("docs/", page(SwaggerUIRenderer), name="docs"),
        path("redoc/", page(ReDocRenderer), name="redoc"),
    ]
