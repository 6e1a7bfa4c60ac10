"""How is JSON read and written at the border, and how strictly?

Strict: unknown fields and parameters are refused by name, a field that is there twice too, and a
number is no string. DRF alone would take ``"7"``, ``7.0`` and ``true`` for the integer 7. Text is
taken in one form (NFC) and without what nobody sees.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import IO, Any
from unicodedata import category, normalize

import msgspec
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from infra.config import config
from infra.errors import BadRequest, Invalid, TooLarge, TooLong
from infra.http.problem_details import field_errors

MAX_DEPTH = 8
"""Of lists and objects in a body; ours need three."""
MAX_QUERY_LENGTH = 4096
"""Of all parameters together, as they are written."""
_HIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Controls, halves of characters, and ends of lines that only some programs see."""
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""What lets text be read in another order than it was written; joiners of emoji stay."""
_LINES = frozenset("\n\r\t")
MAX_LIMIT = 100
DEFAULT_LIMIT = 20
_REMEMBERED_LENGTH = 200


def _plain(value: Any) -> Any:
    """What msgspec does not write by itself."""
    if isinstance(value, str):  # DRF's ErrorDetail, Django's SafeString
        return str.__str__(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def encode(value: Any) -> bytes:
    """JSON; times must be aware and are written in UTC as RFC 3339 with Z."""
    return _encoder.encode(value)


def moment(milliseconds: int) -> datetime:
    """A time that is kept as milliseconds since 1970."""
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)


class JSONRenderer(BaseRenderer):
    """Writes answers."""

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
    """Reads bodies, up to the configured size."""

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
    """What a body says; raises BadRequest that says where it breaks."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"The body is no JSON: {error}") from error
    if _is_deeper(said, MAX_DEPTH):
        raise BadRequest(f"The body is nested more than {MAX_DEPTH} deep.")
    # Of two fields of one name msgspec takes the last; others may have looked at the first.
    json.loads(body, object_pairs_hook=_refuse_twice)
    return said


def _is_deeper(said: Any, levels: int) -> bool:
    if not isinstance(said, dict | list):
        return False
    inner = said.values() if isinstance(said, dict) else said
    return not levels or any(_is_deeper(value, levels - 1) for value in inner)


def _refuse_twice(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) < 2 or len({name for name, _ in pairs}) == len(pairs):  # noqa: PLR2004 - twice
        return
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    raise Invalid(
        "Some fields can't be taken.", errors=[(name, "This is there twice.") for name in twice]
    )


def told(text: str, *, is_long: bool = False) -> str:
    """Text in its one form; raises ValidationError for what can't be seen, or turns others round.

    Long text may have lines.
    """
    if text.isascii() and text.isprintable():
        return text
    for character in text:
        if _is_hidden(character) and not (is_long and character in _LINES):
            raise serializers.ValidationError(
                f"This may not hold the character U+{ord(character):04X}."
            )
    return normalize("NFC", text)


def _is_hidden(character: str) -> bool:
    return category(character) in _HIDDEN or character in _TURNING


class StrictSerializer(serializers.Serializer[Any]):
    """A body whose fields must be exactly the declared ones, each of its own type."""

    @classmethod
    def read(cls, data: Any) -> dict[str, Any]:
        """The valid fields; raises Invalid that names the others."""
        reading = cls(data=data)
        if not reading.is_valid():
            raise Invalid("Some fields can't be taken.", errors=field_errors(reading.errors))
        return dict(reading.validated_data)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            wrong = dict(_unknown(self.fields, data)) | dict(_of_wrong_type(self.fields, data))
            if wrong:
                raise serializers.ValidationError(wrong)
            data = _in_one_form(self.fields, data)
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """Text of more than one line."""


def _in_one_form(fields: Mapping[str, Any], data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same with all text as ``told``; raises ValidationError that names the fields."""
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
        return told(value, is_long=isinstance(field, TextField))
    if isinstance(value, list) and isinstance(field, serializers.ListField):
        return [_text(field.child, item) for item in value]
    return value


def _unknown(fields: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in data:
        if name not in fields:
            yield name, "There is no such field."


def _of_wrong_type(fields: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, field in fields.items():
        if name in data and (wrong := _wrong_type(field, data[name])):
            yield name, wrong


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
    """Why a JSON value is not of the field's type, or None; DRF itself says the rest."""
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        inner = ((str(index), _wrong_type(field.child, item)) for index, item in enumerate(value))
        return {index: wrong for index, wrong in inner if wrong} or None
    for kind, types, reason in _JSON_TYPES:
        if isinstance(field, kind):
            return None if value is None or type(value) in types else reason
    return None


class StrictQuery(StrictSerializer):
    """Query parameters, which must be exactly the declared ones; only lists may be repeated."""

    @classmethod
    def of(cls, query_string: str) -> Mapping[str, Any]:
        """The valid parameters with the defaults of those not given; raises TooLong."""
        if len(query_string) > MAX_QUERY_LENGTH:
            raise TooLong(f"The parameters may have at most {MAX_QUERY_LENGTH} characters.")
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


# Most questions are asked again and again, and DRF takes 0.1 ms to read one.
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
"""How numbers are written in a query; Python itself would take 1_0, other digits and nan."""


def _unfit(field: Any, data: QueryDict) -> str | None:
    given = data.getlist(field.field_name)
    if len(given) > 1 and not isinstance(field, serializers.ListField):
        return "This may be given only once."
    for kind, form, _, reason in _FORMS:
        if isinstance(field, kind) and given and not form.fullmatch(given[0]):
            return reason
    return None


def _typed(field: Any, given: list[str]) -> Any:
    if isinstance(field, serializers.ListField):
        return given
    make = next((make for kind, _, make, _ in _FORMS if isinstance(field, kind)), str)
    return make(given[0])


class PageQuery(StrictQuery):
    """What every list takes. Outside the limits is refused, not cut off."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT)
    cursor = serializers.CharField(max_length=500, required=False)
