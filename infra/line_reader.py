"""Lines of a file, as UTF-8: plain or gzipped, with any byte order mark or line end.

A byte order mark tells UTF-8, UTF-16 and UTF-32 apart. Without one a line is UTF-8, or else in
Windows' Western encoding, as older MovieLens releases and tables saved by spreadsheets are.
"""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import IO, NamedTuple, Protocol, cast

LIMIT = 1_000_000
CUT_SHORT = "the file was cut short here"
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 16
# UTF-16's mark begins UTF-32's, so the longer ones come first.
_WIDE_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DAMAGES = (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError)


class DamagedFile(Exception):
    """A file can't be read to its end; the message says where and why."""


class FileLine(NamedTuple):
    """A line without its end, or why it can't be read."""

    number: int
    content: bytes
    read_bytes: int
    """The file's offset after the line; in a gzipped file that of the archive."""
    error: str | None = None
    is_damaged: bool = False
    """Nothing can be read from here on."""
    is_ended: bool = True
    """Whether a line end follows; without one, the file may have been cut within the line."""

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to read in it."""
        return not self.error and not self.content.strip()

    def why_unreadable(self, fault: Exception) -> str:
        """The reason why a line can't be read as what it should be."""
        return str(fault) if self.is_ended else CUT_SHORT


class _Lines(Protocol):
    def readline(self, limit: int, /) -> bytes: ...


def read(path: Path, *, is_exact: bool = False, limit: int = LIMIT) -> Iterator[FileLine]:
    """The lines of a file; one that can't be read to its end ends with one that ``is_damaged``.

    ``is_exact``: a line that is not UTF-8 is an error, as in files that this project wrote.
    ``limit``: bytes of a line; nothing of a longer one is kept.
    """
    with path.open("rb") as raw:
        number = 0
        try:
            file = _decoded(_unpacked(raw))  # kept, or its end would close the raw file early
            for number, line in enumerate(_lines(file, limit), start=1):
                if line is None:
                    yield FileLine(number, b"", raw.tell(), f"longer than {limit} bytes")
                else:
                    yield _file_line(number, line, raw.tell(), is_exact=is_exact)
        except _DAMAGES as fault:
            size = path.stat().st_size
            yield FileLine(number + 1, b"", size, _reason(fault), is_damaged=True)


def refuse_damaged(*paths: Path) -> None:
    """Read gzipped files to their end; raises DamagedFile.

    The checksum is at the end of an archive, so the lines before it may be wrong ones. Browsers
    unpack some archives and keep the name, so a file called ``.gz`` may also be text.
    """
    for path in paths:
        with path.open("rb") as raw:
            if not _is_gzipped(raw):
                if path.suffix == ".gz" and not _is_text(raw.read(_CHUNK)):
                    raise DamagedFile(f"{path.name}:1: the file is damaged: it is not gzipped")
                continue
            number = 1
            try:
                with gzip.open(raw) as file:
                    while chunk := file.read1(_CHUNK):
                        number += chunk.count(b"\n")
            except _DAMAGES as fault:
                raise DamagedFile(f"{path.name}:{number}: {_reason(fault)}") from fault


def _is_gzipped(raw: IO[bytes]) -> bool:
    is_gzipped = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    raw.seek(0)
    return is_gzipped


def _is_text(start: bytes) -> bool:
    marks = tuple(mark for mark, _ in _WIDE_ENCODINGS)
    return start.startswith(marks) or b"\0" not in start


def _unpacked(raw: IO[bytes]) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(raw)) if _is_gzipped(raw) else raw


def _decoded(file: IO[bytes]) -> _Lines:
    """The file without its byte order mark, in UTF-8 if the mark is another encoding's.

    Old Macs, and spreadsheets on them, end lines with a carriage return alone.
    """
    start = file.read(len(codecs.BOM_UTF32_LE))
    file.seek(len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0)
    for mark, encoding in _WIDE_ENCODINGS:
        if start.startswith(mark):
            return _TextLines(file, encoding, "utf-8")
    page = cast("BufferedReader", file).peek(1)  # a gzipped file needs a number
    if b"\r" in page and b"\n" not in page:
        return _TextLines(file, "latin-1", "latin-1")  # leaves the bytes as they are
    return file


class _TextLines:
    """Lines of a decoded text with any line end, encoded again."""

    def __init__(self, file: IO[bytes], encoding: str, encoding_of_lines: str) -> None:
        self._text = TextIOWrapper(file, encoding)
        self._encoding_of_lines = encoding_of_lines

    def readline(self, limit: int, /) -> bytes:
        return self._text.readline(limit).encode(self._encoding_of_lines)


def _lines(file: _Lines, limit: int) -> Iterator[bytes | None]:
    """The lines with their ends; None for one that is too long."""
    while line := file.readline(limit):
        if len(line) < limit or line.endswith(b"\n"):
            yield line
            continue
        while (rest := file.readline(limit)) and not rest.endswith(b"\n"):
            pass
        yield None


def _file_line(number: int, line: bytes, read_bytes: int, *, is_exact: bool) -> FileLine:
    content, error = line.rstrip(b"\r\n"), None
    if not line.isascii():
        try:
            line.decode()
        except UnicodeDecodeError as fault:
            content, error = (b"", f"not UTF-8: {fault}") if is_exact else (_western(content), None)
    return FileLine(number, content, read_bytes, error, is_ended=line.endswith(b"\n"))


def _western(line: bytes) -> bytes:
    """A line of Windows' Western encoding in UTF-8; its five bytes without a meaning as Latin-1."""
    try:
        return line.decode("cp1252").encode()
    except UnicodeDecodeError:
        return line.decode("latin-1").encode()


def _reason(fault: Exception) -> str:
    is_cut = isinstance(fault, EOFError) or (
        isinstance(fault, UnicodeDecodeError) and fault.end == len(fault.object)
    )
    return CUT_SHORT if is_cut else f"the file is damaged from here on: {fault}"
