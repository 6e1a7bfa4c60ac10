"""Lines of a plain or gzipped file, including those that are too long or damaged."""

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import NamedTuple

LIMIT = 1_000_000
CUT_SHORT = "the file was cut short here"
_GZIP_MAGIC = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class FileLine(NamedTuple):
    """A line without its end, or why it can't be read."""

    number: int
    content: bytes
    read_bytes: int
    """The file's offset after the line; in a gzipped file that of the archive."""
    error: str | None = None
    is_damaged: bool = False
    """Nothing can be read from here on."""


def read(path: Path) -> Iterator[FileLine]:
    """The lines of a file; a damaged archive ends with a line that ``is_damaged``."""
    with path.open("rb") as raw:
        is_gzipped = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        raw.seek(0)
        number = 0
        try:
            with gzip.open(raw) if is_gzipped else raw as file:
                for number, (content, error) in enumerate(_lines(file), start=1):
                    yield FileLine(number, content, raw.tell(), error)
        except EOFError:
            yield FileLine(number + 1, b"", path.stat().st_size, CUT_SHORT, is_damaged=True)
        except (gzip.BadGzipFile, zlib.error) as fault:
            reason = f"the file is damaged from here on: {fault}"
            yield FileLine(number + 1, b"", path.stat().st_size, reason, is_damaged=True)


def _lines(file: BufferedIOBase) -> Iterator[tuple[bytes, str | None]]:
    first = True
    while line := file.readline(LIMIT):
        error = None
        if len(line) == LIMIT and not line.endswith(b"\n"):
            error = f"longer than {LIMIT} bytes"
            while (rest := file.readline(LIMIT)) and not rest.endswith(b"\n"):
                pass
        if first:
            line, first = line.removeprefix(_BYTE_ORDER_MARK), False
        yield (b"" if error else line.rstrip(b"\r\n")), error
