"""``python -m command_api.catalogue.demo``: maintains the file of the demo catalogue."""

import argparse
import sys
from pathlib import Path

from command_api.catalogue.demo.cleaning import clean_cast, clean_title
from command_api.catalogue.demo.lines import DEMO, CatalogueLine, read_lines, write_lines


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m command_api.catalogue.demo")
    parser.add_argument("--file", type=Path, default=DEMO, help="another file of the same form")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("clean", help="remove markup, footnotes and notes; print what changed")
    commands.add_parser("check", help="print what clean would change; exit 1 if anything")
    arguments = parser.parse_args()
    changes = clean(arguments.file, is_check=arguments.command == "check")
    return 1 if changes and arguments.command == "check" else 0


def clean(path: Path, *, is_check: bool) -> int:
    """Clean a catalogue file, or only report; the number of changed fields."""
    lines = read_lines(path)
    changed = [change for line in lines for change in _clean_line(line)]
    for change in changed:
        sys.stdout.write(f"{change}\n")
    sys.stdout.write(f"{len(lines):,} movies, {len(changed):,} changed fields\n")
    if changed and not is_check:
        write_lines(lines, path)
    return len(changed)


def _clean_line(line: CatalogueLine) -> list[str]:
    """Clean a line in place; what changed."""
    cleaned = {
        "title": clean_title(line["title"], line["year"]),
        "cast": list(clean_cast(line["cast"])),
    }
    changes = []
    for field, value in cleaned.items():
        if line[field] != value:
            changes.append(f"{line['id']} {field}: {line[field]!r} -> {value!r}")
            line[field] = value
    return changes


if __name__ == "__main__":
    sys.exit(main())
