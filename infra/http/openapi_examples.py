"""OpenAPI examples: completes the contract with examples, headers and strict bodies.

drf-spectacular knows types and limits. This adds to its document, for every operation: an example
of each body and response, the headers of all responses, and that bodies refuse undeclared fields.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

from infra.errors import Invalid, Refused
from infra.http.problem_details import MEDIA_TYPE

Node: TypeAlias = dict[str, Any]

_BY_NAME: Mapping[str, Any] = {
    "access": "eyJhbGciOiJSUzI1NiIsImtpZCI6IjIwMjYifQ.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl",
    "average": 7.9,
    "because": "rated",
    "cast": ["Sigourney Weaver", "Tom Skerritt"],
    "count": 2,
    "description": "For a long winter.",
    "directors": ["Ridley Scott"],
    "email": "ann@example.org",
    "external_ids": {"wikipedia": "Alien (film)"},
    "field": "score",
    "genre": "Horror",
    "genres": ["Horror", "Science Fiction"],
    "heat": 12.5,
    "highlight": "<em>Alien</em>",
    "histogram": [0, 0, 0, 0, 0, 0, 1, 0, 1, 0],
    "job": "Director",
    "keywords": ["spaceship", "android"],
    "login": "ann",
    "name": "Space",
    "new": "another horse battery",
    "next": None,
    "old": "correct horse battery",
    "original_language": "en",
    "original_title": "Alien",
    "overview": "The crew of a tug answers a call.",
    "owner": "ann",
    "password": "correct horse battery",
    "poster_url": "https://images.example.org/alien.jpg",
    "reason": "Ensure this value is less than or equal to 10.",
    "refresh": "AbCd1234.EfGh5678",
    "released_on": "1979-05-25",
    "result": "taken",
    "runtime_minutes": 117,
    "score": 8,
    "share": 0.5,
    "strategy": None,
    "title": "Alien",
    "titles": {"es": "Alien, el octavo pasajero"},
    "username": "ann",
    "year": 1979,
}
_BY_FORMAT: Mapping[str, Any] = {
    "uuid": "6f1c2b3a-0d4e-4f5a-8b6c-7d8e9f0a1b2c",
    "date-time": "2026-01-31T20:15:00Z",
    "email": "ann@example.org",
    "uri": "https://movies.example.org",
}
_BY_TYPE: Mapping[str, Any] = {"string": "text", "integer": 1, "number": 1.0, "boolean": False}

_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
}

_RETRY = {"Retry-After": "Seconds to wait before trying again."}
_RATE = {
    "RateLimit-Limit": "Requests that a window may have.",
    "RateLimit-Remaining": "Requests that are left in this window.",
    "RateLimit-Reset": "Seconds until the window ends.",
}
"""On every response to a counted request."""
_HEADERS: Mapping[str, Mapping[str, str]] = {
    "401": {"WWW-Authenticate": "Bearer"},
    "429": _RETRY,
    "503": _RETRY,
}


def complete(result: Node, **_: Any) -> Node:
    """A hook of drf-spectacular (POSTPROCESSING_HOOKS): gets and returns the whole document."""
    components: Node = result.setdefault("components", {})
    components["headers"] = {name: _header(description) for name, description in _RATE.items()}
    schemas: Node = components.get("schemas", {})
    for operation in _operations(result):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            _be_strict(content["schema"], schemas)
            content["example"] = example(content["schema"], schemas)
        for status, response in operation["responses"].items():
            response["description"] = response["description"] or HTTPStatus(int(status)).phrase
            headers = response.setdefault("headers", {})
            headers |= {
                name: _header(description) for name, description in _HEADERS.get(status, {}).items()
            }
            headers |= {name: {"$ref": f"#/components/headers/{name}"} for name in _RATE}
            for kind, content in response.get("content", {}).items():
                content["example"] = (
                    _problem(status) if kind == MEDIA_TYPE else example(content["schema"], schemas)
                )
    return result


def _header(description: str) -> Node:
    return {"description": description, "schema": {"type": "string"}}


def example(schema: Node, schemas: Node, name: str = "") -> Any:
    """A value that is valid under a schema."""
    schema = _resolved(schema, schemas)
    if "properties" in schema:
        return {
            field: example(inner, schemas, field) for field, inner in schema["properties"].items()
        }
    if schema.get("type") == "array":
        inner = _resolved(schema["items"], schemas)
        named = _BY_NAME.get(name)
        is_plain = isinstance(named, list) and "properties" not in inner
        return named if is_plain else [example(schema["items"], schemas)]
    if "enum" in schema:
        return _BY_NAME[name] if _BY_NAME.get(name) in schema["enum"] else schema["enum"][0]
    if name in _BY_NAME and _may_be(schema, _BY_NAME[name]):
        return _BY_NAME[name]
    return _BY_FORMAT.get(schema.get("format", ""), _of_type(schema))


def _of_type(schema: Node) -> Any:
    return schema.get("minimum", _BY_TYPE.get(schema.get("type", ""), {}))


def _may_be(schema: Node, value: Any) -> bool:
    if value is None:
        return bool(schema.get("nullable"))
    return isinstance(value, _PYTHON_TYPES.get(schema.get("type", ""), ()))


def _resolved(schema: Node, schemas: Node) -> Node:
    """The schema behind a reference or a wrapper."""
    if "$ref" in schema:
        return _resolved(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for wrapper in ("allOf", "oneOf", "anyOf"):
        if wrapper in schema:
            return _resolved(schema[wrapper][0], schemas)
    return schema


def _be_strict(schema: Node, schemas: Node) -> None:
    """Declare that undeclared fields are refused, so that clients can check before they send."""
    resolved = _resolved(schema, schemas)
    if "properties" in resolved:
        resolved["additionalProperties"] = False
        for inner in resolved["properties"].values():
            _be_strict(inner, schemas)
    elif "items" in resolved:
        _be_strict(resolved["items"], schemas)


def _operations(result: Node) -> Iterator[Node]:
    for methods in result["paths"].values():
        yield from (operation for method, operation in methods.items() if method != "parameters")


def _problem(status: str) -> Node:
    kinds = {kind.status: kind for kind in _refusals(Refused) if hasattr(kind, "status")}
    kind = kinds.get(int(status), Invalid)
    errors = [{"field": "score", "reason": "This must be an integer, not in quotes."}]
    return {
        "type": kind.type,
        "title": kind.title,
        "status": int(status),
        "detail": (kind.__doc__ or "").partition("\n")[0],
        "errors": errors if status == "422" else [],
    }


def _refusals(kind: type[Refused]) -> Iterator[type[Refused]]:
    for inner in kind.__subclasses__():
        yield inner
        yield from _refusals(inner)
