"""OpenAPI schemas of answers, derived from the msgspec structs that they are encoded from."""

from collections.abc import Mapping
from typing import Any

from msgspec import inspect
from rest_framework import serializers

from infra.http.openapi import Shape

_SCALARS: Mapping[type, type[Any]] = {
    inspect.BoolType: serializers.BooleanField,
    inspect.IntType: serializers.IntegerField,
    inspect.FloatType: serializers.FloatField,
    inspect.StrType: serializers.CharField,
    inspect.UUIDType: serializers.UUIDField,
    inspect.DateType: serializers.DateField,
    inspect.DateTimeType: serializers.DateTimeField,
}
_schemas: dict[type, Shape] = {}


def schema(name: str, *structs: Any, description: str = "", **fields: Any) -> Shape:
    """A component with the fields of some structs, and more ``fields`` behind them.

    A struct within a struct must have a schema of its own, made before. The default
    description is the last struct's docstring.
    """
    declared = {
        field.encode_name: _field(field.type, is_required=_is_always_there(struct, field))
        for struct in structs
        for field in _fields(struct)
    }
    text = description or structs[-1].__doc__
    made: Shape = type(name, (serializers.Serializer,), {"__doc__": text, **declared, **fields})
    if len(structs) == 1 and not fields:
        _schemas[structs[0]] = made
    return made


def _fields(struct: Any) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType | inspect.TypedDictType)  # noqa: S101 - no other is given
    return info.fields


def _is_always_there(struct: Any, field: inspect.Field) -> bool:
    """Whether every answer has a field; msgspec omits defaults only with omit_defaults."""
    options = getattr(struct, "__struct_config__", None)
    return field.required or (options is not None and not options.omit_defaults)


def _field(kind: inspect.Type, *, is_required: bool = True, **options: Any) -> Any:
    match kind:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            text = (extra or {}).get("description")
            return _field(inner, is_required=is_required, help_text=text, **options)
        case inspect.UnionType(types=types):  # None is null where a field is always there
            [inner] = [each for each in types if not isinstance(each, inspect.NoneType)]
            options |= {"allow_null": True} if is_required else {}
            return _field(inner, is_required=is_required, **options)
        case _:
            return _make_field(kind, **options if is_required else {**options, "required": False})


def _make_field(kind: inspect.Type, **options: Any) -> Any:
    match kind:
        case inspect.ListType(item_type=inspect.StructType(cls=cls)):
            return _schemas[cls](many=True, **options)
        case inspect.VarTupleType(item_type=inspect.StructType(cls=cls)):
            return _schemas[cls](many=True, **options)
        case inspect.StructType(cls=cls) | inspect.TypedDictType(cls=cls):
            return _schemas[cls](**options)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return serializers.ListField(child=_field(item), **options)
        case inspect.DictType(value_type=value):
            return serializers.DictField(child=_field(value), **options)
        case _:
            return _make_scalar(kind, **options)


def _make_scalar(kind: inspect.Type, **options: Any) -> Any:
    if isinstance(kind, inspect.LiteralType):
        return serializers.ChoiceField(list(kind.values), **options)
    return _SCALARS[type(kind)](**options)
