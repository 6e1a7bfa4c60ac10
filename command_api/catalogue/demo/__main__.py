"""``python -m command_api.catalogue.demo``: maintains the file of the demo catalogue."""

import argparse
import sys
from pathlib import Path

from command_api.catalogue.demo.cleaning import clean_cast, clean_title
from command_api.catalogue.demo.enrichment import ENRICHED, enrich, match
from command_api.catalogue.demo.lines import DEMO, CatalogueLine, read_lines, write_lines
from command_api.catalogue.demo.wikidata_films import read_films


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m command_api.catalogue.demo")
    parser.add_argument("--file", type=Path, default=DEMO, help="another file of the same form")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("clean", help="move articles, remove markup and notes; print what changed")
    commands.add_parser("check", help="print what clean would change; exit 1 if anything")
    enriching = commands.add_parser("enrich", help="add IMDb ids, directors and prominence")
    enriching.add_argument("films", type=Path, help="movies.db of bokeh_sampledata >= 2026.1")
    arguments = parser.parse_args()
    if arguments.command == "enrich":
        enrich_from(arguments.films, arguments.file)
        return 0
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


def enrich_from(films: Path, path: Path) -> None:
    """Add what Wikidata knows to a catalogue file; print what matched and what did not."""
    lines = read_lines(path)
    report = match(lines, read_films(films))
    enrich(lines, report.films)
    write_lines(lines, path)
    for what, texts in (("doubtful", report.doubtful), ("ambiguous", report.ambiguous)):
        for text in texts:
            sys.stdout.write(f"{what}: {text}\n")
    for rule, count in report.by_rule.items():
        sys.stdout.write(f"{count:,} matched by {rule}\n")
    left_out = f"{len(report.doubtful)} doubtful, {len(report.ambiguous)} ambiguous"
    sys.stdout.write(f"{left_out}, {report.unmatched:,} films without a movie\n")
    for name in ENRICHED:
        with_it = sum(bool(line.get(name)) for line in lines)
        sys.stdout.write(f"{with_it:,} of {len(lines):,} movies have {name}\n")


if __name__ == "__main__":
    sys.exit(main())
