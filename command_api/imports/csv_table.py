"""What stands in the columns of a CSV file, row by row?"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from command_api.imports import line_reader
from command_api.imports.rejected_lines import RejectedLines


class MissingColumns(Exception):
    """The file lacks a column, or any line."""


class CsvRow(NamedTuple):
    """The wanted columns of a line."""

    number: int
    values: Sequence[str]
    read_bytes: int


def read(path: Path, columns: Sequence[str], broken: RejectedLines) -> Iterator[CsvRow]:
    """The rows below the header; a line that is none goes to ``broken``.

    Each line is read alone, so that an unclosed quote spoils its own line only.
    """
    rest = line_reader.read(path)
    width, places = _places(path, next(rest, None), columns)
    for line in rest:
        if line.is_torn:
            broken.tear(line)
            return
        if not line.content and not line.broken:
            continue
        try:
            cells = _cells(line)
            if len(cells) != width:
                raise ValueError(f"{len(cells)} columns instead of {width}")  # noqa: TRY301 - one way out
        except (ValueError, csv.Error) as error:
            broken.add(line.number, str(error))
        else:
            yield CsvRow(line.number, [cells[place] for place in places], line.read_bytes)


def _places(
    path: Path, header: line_reader.FileLine | None, columns: Sequence[str]
) -> tuple[int, Sequence[int]]:
    try:
        names = [name.strip() for name in _cells(header)] if header else []
    except (ValueError, csv.Error):
        names = []
    missing = [name for name in columns if name not in names]
    if missing:
        raise MissingColumns(f"The first line of {path} names no column {', '.join(missing)}.")
    return len(names), [names.index(name) for name in columns]


def _cells(line: line_reader.FileLine) -> list[str]:
    if line.broken:
        raise ValueError(line.broken)
    text = line.content.decode()
    if "\x00" in text:
        raise ValueError("a NUL character")
    return next(csv.reader([text], strict=True))
