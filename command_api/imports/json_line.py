"""JSON of a file's line: whole numbers may be written with a fraction of zeros.

Programs that keep tables of numbers, such as pandas, write a year as ``1995.0``.
"""

from typing import Any

import msgspec


def decode(content: bytes, kind: Any) -> Any:
    """The line as a value of the type; raises ValueError, which names the field."""
    try:
        return msgspec.convert(_decoder.decode(content), kind)
    except RecursionError as error:
        raise ValueError("JSON is nested too deep") from error


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


_decoder = msgspec.json.Decoder(float_hook=_number)
