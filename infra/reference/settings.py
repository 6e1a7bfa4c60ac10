"""Reference page of the settings, made from ``infra.config.Config``."""

from pathlib import Path

from msgspec import NODEFAULT, inspect

from infra.config import PREFIX, Config

_INTRODUCTION = f"""\
# Settings

Every setting is an environment variable. A bad value, or a variable that begins with `{PREFIX}` and
is not in this list, stops the process at start with its name. Made from
[`infra/config.py`](../../infra/config.py) by `make reference`.

| variable | value | default | what for |
|---|---|---|---|
"""


def page() -> str:
    """The page in Markdown."""
    config = inspect.type_info(Config)
    assert isinstance(config, inspect.StructType)  # noqa: S101 - Config is a struct
    return _INTRODUCTION + "".join(_row(field) for field in config.fields)


def _row(field: inspect.Field) -> str:
    assert isinstance(field.type, inspect.Metadata)  # noqa: S101 - every field has a description
    description = (field.type.extra_json_schema or {})["description"]
    default = "" if field.default is NODEFAULT else _default(field.default)
    shown = f"`{default}`" if default else "empty"
    name = f"{PREFIX}{field.encode_name}"
    return f"| `{name}` | {_values(field.type.type)} | {shown} | {description} |\n"


def _default(value: object) -> str:
    """A value as one would set it."""
    match value:
        case bool():
            return str(value).lower()
        case Path() | str() | int() | float():
            return str(value)
        case _:
            raise TypeError(value)


def _values(kind: inspect.Type) -> str:
    match kind:
        case inspect.BoolType():
            return "`true` or `false`"
        case inspect.LiteralType(values=values):
            return ", ".join(f"`{value}`" for value in values)
        case inspect.IntType(ge=least, le=most) if least is not None and most is not None:
            return f"a number, {least} to {most}"
        case inspect.IntType(ge=least) | inspect.FloatType(ge=least) if least is not None:
            return f"a number, at least {least}"
        case inspect.StrType():
            return "text"
        case inspect.CustomType(cls=cls) if cls is Path:
            return "a path"
        case _:
            raise TypeError(kind)
