"""Rows of a text file with columns; a line that isn't a row is rejected."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from command_api.imports.line_warnings import RejectedLines
from infra import line_reader
from infra.line_reader import FileLine


class MissingColumns(Exception):
    """The file's header lacks a column, or there is no header."""


class TableRow(NamedTuple):
    number: int
    values: Sequence[str]
    read_bytes: int


def read(path: Path, rejected: RejectedLines, *, columns: Sequence[str]) -> Iterator[TableRow]:
    """The given columns of a CSV file with a header; raises MissingColumns.

    Each line is parsed alone, so that an unclosed quote spoils its own line only.
    """
    lines = line_reader.read(path)
    header = next((line for line in lines if not line.is_blank), None)
    width, indexes = _column_indexes(path, header, columns)
    for row in split_rows(lines, _cells, width, rejected):
        yield row._replace(values=[row.values[index] for index in indexes])


def split_rows(
    lines: Iterable[FileLine],
    split: Callable[[bytes], Sequence[str]],
    width: int,
    rejected: RejectedLines,
) -> Iterator[TableRow]:
    """Lines split into ``width`` cells; all others are rejected."""
    for line in rejected.readable(lines):
        try:
            cells = _split(line, split, width)
        except (ValueError, csv.Error) as error:
            rejected.add(line.number, str(error))
        else:
            yield TableRow(line.number, cells, line.read_bytes)


def _split(line: FileLine, split: Callable[[bytes], Sequence[str]], width: int) -> Sequence[str]:
    if line.error:
        raise ValueError(line.error)
    cells = split(line.content)
    if len(cells) != width:
        raise ValueError(f"{len(cells)} columns instead of {width}")
    return cells


def _column_indexes(
    path: Path, header: FileLine | None, columns: Sequence[str]
) -> tuple[int, Sequence[int]]:
    try:
        names = [name.strip() for name in _cells(header.content)] if header else []
    except (ValueError, csv.Error):
        names = []
    missing = [name for name in columns if name not in names]
    if missing:
        raise MissingColumns(f"The first line of {path} lacks the columns {', '.join(missing)}.")
    return len(names), [names.index(name) for name in columns]


def _cells(content: bytes) -> list[str]:
    text = content.decode()
    if "\x00" in text:
        raise ValueError("the line has a NUL character")
    return next(csv.reader([text], strict=True))
