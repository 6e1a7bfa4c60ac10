"""What does each thing look like, to somebody who reads the contract?

drf-spectacular knows types and limits. This adds to its document, for whatever operations there
are: an example of each body and answer, the headers that all have, and that bodies are strict.
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

_FITTING: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
}

_LATER = {"Retry-After": "Seconds until it may be tried again."}
_RATE = {
    "RateLimit-Limit": "How many are let through in a window.",
    "RateLimit-Remaining": "How many of them are left.",
    "RateLimit-Reset": "Seconds until there are more.",
}
"""On every answer to what was counted."""
_HEADERS: Mapping[str, Mapping[str, str]] = {
    "401": {"WWW-Authenticate": "Bearer"},
    "429": _LATER,
    "503": _LATER,
}


def complete(result: Node, **_: Any) -> Node:
    """drf-spectacular's POSTPROCESSING_HOOKS call this with the whole document."""
    components: Node = result.setdefault("components", {})
    components["headers"] = {name: _header(told) for name, told in _RATE.items()}
    schemas: Node = components.get("schemas", {})
    for operation in _operations(result):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            _be_strict(content["schema"], schemas)
            content["example"] = example(content["schema"], schemas)
        for status, response in operation["responses"].items():
            response["description"] = response["description"] or HTTPStatus(int(status)).phrase
            headers = response.setdefault("headers", {})
            headers |= {name: _header(told) for name, told in _HEADERS.get(status, {}).items()}
            headers |= {name: {"$ref": f"#/components/headers/{name}"} for name in _RATE}
            for kind, content in response.get("content", {}).items():
                content["example"] = (
                    _problem(status) if kind == MEDIA_TYPE else example(content["schema"], schemas)
                )
    return result


def _header(told: str) -> Node:
    return {"description": told, "schema": {"type": "string"}}


def example(schema: Node, schemas: Node, name: str = "") -> Any:
    """Something that fits a schema."""
    schema = _resolved(schema, schemas)
    if "properties" in schema:
        return {
            field: example(inner, schemas, field) for field, inner in schema["properties"].items()
        }
    if schema.get("type") == "array":
        inner = _resolved(schema["items"], schemas)
        known = _BY_NAME.get(name)
        is_plain = isinstance(known, list) and "properties" not in inner
        return known if is_plain else [example(schema["items"], schemas)]
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
    return isinstance(value, _FITTING.get(schema.get("type", ""), ()))


def _resolved(schema: Node, schemas: Node) -> Node:
    """The schema itself, where a reference or a wrapping stands."""
    if "$ref" in schema:
        return _resolved(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for wrapping in ("allOf", "oneOf", "anyOf"):
        if wrapping in schema:
            return _resolved(schema[wrapping][0], schemas)
    return schema


def _be_strict(schema: Node, schemas: Node) -> None:
    """Fields that are not declared are refused, and so they must be by who checks before."""
    found = _resolved(schema, schemas)
    if "properties" in found:
        found["additionalProperties"] = False
        for inner in found["properties"].values():
            _be_strict(inner, schemas)
    elif "items" in found:
        _be_strict(found["items"], schemas)


def _operations(result: Node) -> Iterator[Node]:
    for methods in result["paths"].values():
        yield from (found for method, found in methods.items() if method != "parameters")


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
