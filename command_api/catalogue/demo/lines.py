"""Lines of the demo catalogue's file; equal lines are written as equal bytes."""

import gzip
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

CatalogueLine: TypeAlias = dict[str, Any]
"""A movie as in ``command_api.imports.catalogue_file``."""

DEMO = Path(__file__).with_name("catalogue.jsonl.gz")


def read_lines(path: Path = DEMO) -> list[CatalogueLine]:
    with gzip.open(path) as file:
        return [json.loads(line) for line in file]


def write_lines(lines: Sequence[CatalogueLine], path: Path = DEMO) -> None:
    """Replace the file, once all of it is written."""
    packed = (json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in lines)
    content = "".join(f"{line}\n" for line in packed).encode()
    part = path.with_suffix(".part")
    part.write_bytes(gzip.compress(content, mtime=0))
    part.replace(path)


def version_of(path: Path = DEMO) -> str:
    """A digest of the file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
