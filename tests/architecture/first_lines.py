"""Program: lists modules whose first line asks a question, and fails if there are any."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("command_api", "query_api", "projectors", "events", "infra", "benchmarks", "tests")


def questions() -> Iterator[str]:
    """Path and first line of each."""
    packages = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    for path in sorted([*ROOT.glob("*.py"), *packages]):
        docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
        first_line = docstring.partition("\n")[0]
        if "?" in first_line:
            yield f"{path.relative_to(ROOT)}: {first_line}"


if __name__ == "__main__":
    violations = list(questions())
    sys.stdout.writelines(f"{line}\n" for line in violations)
    sys.exit(bool(violations))
