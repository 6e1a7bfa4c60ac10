"""Strict JSON: parses bodies and query parameters strictly, and encodes answers.

Unknown fields and parameters are refused by name, duplicates too, and values of another JSON
type: DRF alone takes ``"7"``, ``7.0`` and ``true`` for integers. Text is normalised (NFC), may have
no invisible characters, and has something to see unless it may be blank.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import IO, Any

import msgspec
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from infra import visible_text
from infra.config import config
from infra.errors import BadRequest, Invalid, TooLarge, TooLong
from infra.http.problem_details import field_errors

MAX_DEPTH = 8
"""Nesting of lists and objects in a body; ours need three."""
MAX_MEMBERS = 100
"""Members of one object in a body; ours have at most ten."""
MAX_QUERY_LENGTH = 4096
"""Characters of the whole query string."""
MAX_PARAMETERS = 100
"""Parameters of a query string, repeated ones included; ours have at most twenty."""
MAX_LIMIT = 100
DEFAULT_LIMIT = 20
_REMEMBERED_LENGTH = 200


def _plain(value: Any) -> Any:
    """Encode what msgspec can't."""
    if isinstance(value, str):  # DRF's ErrorDetail, Django's SafeString
        return str.__str__(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


encode = msgspec.json.Encoder(enc_hook=_plain).encode
"""Encode JSON; times must be aware, and become UTC in RFC 3339 with Z."""


def moment(milliseconds: int) -> datetime:
    """The time of milliseconds since 1970."""
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)


class JSONRenderer(BaseRenderer):
    """DRF's renderer."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else encode(data)


class JSONParser(BaseParser):
    """DRF's parser, up to the configured size."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return decode(read_body(stream))


def read_body(stream: IO[Any]) -> bytes:
    """The body's bytes; raises TooLarge without reading further."""
    limit = config().body_limit_bytes
    body: bytes = stream.read(limit + 1)
    if len(body) > limit:
        raise TooLarge(f"A body may have at most {limit} bytes.")
    return body


def decode(body: bytes) -> Any:
    """The value of a body; raises BadRequest, or Invalid for duplicate fields."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"The body is not valid JSON: {error}") from error
    _limit_shape(value, MAX_DEPTH)
    # msgspec takes the last of two fields of one name; a proxy may have checked the first.
    json.loads(body, object_pairs_hook=_refuse_duplicates)
    return value


def _limit_shape(value: Any, levels: int) -> None:
    if not isinstance(value, dict | list):
        return
    if not levels:
        raise BadRequest(f"The body is nested more than {MAX_DEPTH} deep.")
    if isinstance(value, dict) and len(value) > MAX_MEMBERS:
        raise BadRequest(f"An object in the body has more than {MAX_MEMBERS} members.")
    for each in value.values() if isinstance(value, dict) else value:
        _limit_shape(each, levels - 1)


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) == len(pairs):
        return
    times = Counter(name for name, _ in pairs)
    raise Invalid(
        "Some fields are invalid.",
        errors=[(name, "duplicate field") for name, count in sorted(times.items()) if count > 1],
    )


class StrictSerializer(serializers.Serializer[Any]):
    """A body whose fields must be exactly the declared ones, each of its own type."""

    @classmethod
    def read(cls, data: Any) -> dict[str, Any]:
        """The valid fields; raises Invalid, which names the others."""
        reading = cls(data=data)
        if not reading.is_valid():
            raise Invalid("Some fields are invalid.", errors=field_errors(reading.errors))
        return dict(reading.validated_data)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            wrong = dict(_unknown(self.fields, data)) | dict(_of_wrong_type(self.fields, data))
            if wrong:
                raise serializers.ValidationError(wrong)
            data = _normalised(self.fields, data)
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """Text of more than one line."""


class SecretField(serializers.CharField):
    """Text that is compared and never shown, such as a password; it may be invisible."""


def _normalised(fields: Mapping[str, Any], data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields with normalised text; raises ValidationError, which names the fields."""
    taken, wrong = dict(data), {}
    for name, value in data.items():
        try:
            taken[name] = _text(fields[name], value)
        except serializers.ValidationError as error:
            wrong[name] = error.detail
    if wrong:
        raise serializers.ValidationError(wrong)
    return taken


def _text(field: Any, value: Any) -> Any:
    if isinstance(value, str):
        return _normalised_text(field, value)
    if isinstance(value, list) and isinstance(field, serializers.ListField):
        return [_text(field.child, item) for item in value]
    return value


def _normalised_text(field: Any, text: str) -> str:
    is_secret = isinstance(field, SecretField)
    try:
        normal = visible_text.normalised(
            text, is_long=isinstance(field, TextField), is_secret=is_secret
        )
    except visible_text.RefusedText as error:
        raise serializers.ValidationError(str(error)) from error
    may_be_blank = is_secret or not text or getattr(field, "allow_blank", False)
    if not may_be_blank and visible_text.is_blank(normal):
        raise serializers.ValidationError("This field may not be blank.")
    return normal


def _unknown(fields: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in data:
        if name not in fields:
            yield name, "unknown field"


def _of_wrong_type(fields: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, field in fields.items():
        if name not in data:
            continue
        if wrong := _too_many(field, data[name]) or _wrong_type(field, data[name]):
            yield name, wrong


def _too_many(field: Any, value: Any) -> str | None:
    """Why a list has too many items; checked first, or each item would get a reason of its own."""
    most = field.max_length if isinstance(field, serializers.ListField) else None
    if most is None or not isinstance(value, list) or len(value) <= most:
        return None
    return f"This may have at most {most} items."


_JSON_TYPES: Sequence[tuple[type[Any], tuple[type, ...], str]] = (
    (serializers.BooleanField, (bool,), "This must be true or false."),
    (serializers.IntegerField, (int,), "This must be an integer, not in quotes."),
    (serializers.FloatField, (int, float), "This must be a number, not in quotes."),
    (serializers.CharField, (str,), "This must be a string."),
    (serializers.ChoiceField, (str,), "This must be a string."),
    (serializers.UUIDField, (str,), "This must be a string."),
    (serializers.DateTimeField, (str,), "This must be a string."),
)


def _wrong_type(field: Any, value: Any) -> str | dict[str, Any] | None:
    """Why a JSON value is not of the field's type, or None; DRF checks the rest."""
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        inner = ((str(index), _wrong_type(field.child, item)) for index, item in enumerate(value))
        return {index: wrong for index, wrong in inner if wrong} or None
    for kind, types, reason in _JSON_TYPES:
        if isinstance(field, kind):
            return None if value is None or type(value) in types else reason
    return None


class StrictQuery(StrictSerializer):
    """Query parameters: only declared ones, and only lists may be repeated."""

    @classmethod
    def of(cls, query_string: str) -> Mapping[str, Any]:
        """The valid parameters and the defaults of the others; raises Invalid or TooLong."""
        if len(query_string) > MAX_QUERY_LENGTH:
            raise TooLong(f"The parameters may have at most {MAX_QUERY_LENGTH} characters.")
        if query_string.count("&") >= MAX_PARAMETERS:  # Django answers 400 beyond its own limit
            reason = f"At most {MAX_PARAMETERS} parameters may be given."
            raise Invalid("There are too many parameters.", errors=[("", reason)])
        if len(query_string) > _REMEMBERED_LENGTH:
            return cls.read(QueryDict(query_string))
        return _read(cls, query_string)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, QueryDict):
            return super().to_internal_value(data)
        wrong = {name: why for name, field in self.fields.items() if (why := _unfit(field, data))}
        if wrong:
            raise serializers.ValidationError(wrong)
        return super().to_internal_value(
            {name: _typed(self.fields.get(name), data.getlist(name)) for name in data}
        )


# Most queries repeat, and DRF takes 0.1 ms to read one.
@lru_cache(maxsize=2048)
def _read(query: type[StrictQuery], query_string: str) -> Mapping[str, Any]:
    return MappingProxyType(query.read(QueryDict(query_string)))


_FORMS: Sequence[tuple[type[Any], re.Pattern[str], type, str]] = (
    (serializers.IntegerField, re.compile("-?[0-9]{1,18}"), int, "This must be an integer."),
    (
        serializers.FloatField,
        re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?"),
        float,
        "This must be a number.",
    ),
)
"""Formats of numbers in a query; Python would also take 1_0, non-ASCII digits and nan."""


def _unfit(field: Any, data: QueryDict) -> str | None:
    given = data.getlist(field.field_name)
    if len(given) > 1 and not isinstance(field, serializers.ListField):
        return "This parameter may be given only once."
    for kind, form, _, reason in _FORMS:
        if isinstance(field, kind) and given and not form.fullmatch(given[0]):
            return reason
    return None


def _typed(field: Any, given: list[str]) -> Any:
    if isinstance(field, serializers.ListField):
        return given
    make = next((make for kind, _, make, _ in _FORMS if isinstance(field, kind)), None)
    # Text copied from a page brings soft hyphens and zero-width spaces along.
    return make(given[0]) if make else visible_text.without_invisible(given[0])


class PageQuery(StrictQuery):
    """Parameters of every list. A limit out of range is refused, not clamped."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT)
    cursor = serializers.CharField(max_length=500, required=False)
