"""Which lines does a file have, whatever is in it?"""

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import NamedTuple

LIMIT = 1_000_000
CUT_SHORT = "the file was cut short here"
_GZIP = b"\x1f\x8b"
_MARK = b"\xef\xbb\xbf"  # some editors put it before the first line


class FileLine(NamedTuple):
    """A line without its end, with the file's offset in bytes after it; or why it can't be read."""

    number: int
    content: bytes
    read_bytes: int
    broken: str | None = None
    is_torn: bool = False
    """Whether nothing can be read from here on."""


def read(path: Path) -> Iterator[FileLine]:
    """The lines of a plain or gzipped file. A damaged archive ends with a broken line."""
    with path.open("rb") as raw:
        packed = raw.read(len(_GZIP)) == _GZIP
        raw.seek(0)
        number = 0
        try:
            with gzip.open(raw) if packed else raw as file:
                for number, (content, broken) in enumerate(_pieces(file), start=1):
                    yield FileLine(number, content, raw.tell(), broken)
        except EOFError:
            yield FileLine(number + 1, b"", path.stat().st_size, CUT_SHORT, is_torn=True)
        except (gzip.BadGzipFile, zlib.error) as error:
            reason = f"the file is damaged from here on: {error}"
            yield FileLine(number + 1, b"", path.stat().st_size, reason, is_torn=True)


def _pieces(file: BufferedIOBase) -> Iterator[tuple[bytes, str | None]]:
    first = True
    while piece := file.readline(LIMIT):
        broken = None
        if len(piece) == LIMIT and not piece.endswith(b"\n"):
            broken = f"longer than {LIMIT} bytes"
            while (rest := file.readline(LIMIT)) and not rest.endswith(b"\n"):
                pass
        if first:
            piece, first = piece.removeprefix(_MARK), False
        yield (b"" if broken else piece.rstrip(b"\r\n")), broken
