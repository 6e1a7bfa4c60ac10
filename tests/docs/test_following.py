"""How-tos for developers: followed literally in a copy of the tree, they work."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import copy2

import pytest

ROOT = Path(__file__).parents[2]
_STEP = re.compile(
    r"(?:^`([^`\n]+)`:\n\n)?^```(python|json|jsonl|diff|console)\n(.*?)^```",
    re.MULTILINE | re.DOTALL,
)
_INHERITED = ("HOME", "PATH", "TMPDIR", "LANG")


def copy_tree(to: Path) -> None:
    """Copy the files that git tracks; return the environment to run commands in it."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            target = to / name
            target.parent.mkdir(parents=True, exist_ok=True)
            copy2(ROOT / name, target)
    (to / ".venv").symlink_to(ROOT / ".venv")


def follow(document: Path, tree: Path) -> int:
    """Follow the document step by step; return the number of commands run."""
    commands = 0
    for name, kind, text in _STEP.findall(document.read_text()):
        if kind == "console":
            commands += sum(1 for _ in _run(text, tree))
        elif kind == "diff":
            _edit(tree / name, text, document.name)
        else:
            _write(tree / name, text)
    return commands


def _write(path: Path, text: str) -> None:
    assert not path.exists(), f"{path} exists already"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _edit(path: Path, diff: str, document: str) -> None:
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if not line.startswith("+"))
    after = "".join(line[1:] for line in lines if not line.startswith("-"))
    text = path.read_text()
    assert text.count(before) == 1, (
        f"{document} edits lines that {path.name} has {text.count(before)} times, not once."
        f" Update the diff in {document}:\n{before}"
    )
    path.write_text(text.replace(before, after))


def _run(text: str, tree: Path) -> Iterator[None]:
    for step in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *expected = step.splitlines()
        environ = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        result = subprocess.run(
            ["bash", "-c", command],
            cwd=tree,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        output = result.stdout + result.stderr
        assert result.returncode == 0, f"{command}\n{output}"
        for line in filter(None, expected):
            assert line in output, f"{command}\ndoes not print {line!r}:\n{output}"
        yield


@pytest.mark.slow
@pytest.mark.parametrize("name", ["add-a-read-model", "add-an-event"])
def test_howto_works_when_followed_literally(name, tmp_path):
    copy_tree(tmp_path)
    assert follow(ROOT / "docs/how-to" / f"{name}.md", tmp_path)
