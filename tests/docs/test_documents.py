"""Is what the documents say about files, targets and commands so?"""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")],
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
WORD_IN_CODE = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
WRITTEN = re.compile(r"^`([^`\n]+)`:\n\n```(?!diff)", re.MULTILINE)
"""Files that a how-to has its reader write."""
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
OUR_FOLDERS = ("command_api/", "query_api/", "projectors/", "events/", "infra/", "tests/", "docs/")


def name_of(path):
    return str(path.relative_to(ROOT))


def anchors(path):
    """What can be linked to in a document: its headings, as a web page names them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(path):
    lost = []
    for link in LINK.findall(path.read_text()):
        if re.match(r"[a-z]+://|mailto:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (anchor and anchor not in anchors(file)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_files_that_are_named_exist(path):
    text = path.read_text()
    named = {
        word.partition("::")[0]  # of a test
        for word in WORD_IN_CODE.findall(text)
        if word.startswith(OUR_FOLDERS)
    } - set(WRITTEN.findall(text))
    assert [
        word for word in sorted(named) if not (ROOT / word).exists() and word.count("/") > 1
    ] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_targets_that_are_named_exist(path):
    named = set(re.findall(r"(?:^|`|\| )make ([a-z][a-z-]*)", path.read_text(), re.MULTILINE))
    assert named <= TARGETS


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_commands_that_are_named_exist(path):
    named = set(re.findall(r"manage\.py ([a-z_]+)", path.read_text()))
    ours = {file.stem for file in ROOT.glob("*/**/management/commands/*.py")}
    assert named <= ours | {"migrate", "check", "makemigrations", "collectstatic"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_shell_in_documents_can_be_parsed(path):
    for language, code in BLOCK.findall(path.read_text()):
        if language == "sh":
            subprocess.run(["bash", "-n"], input=code, text=True, check=True)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_python_in_documents_can_be_compiled(path):
    for language, code in BLOCK.findall(path.read_text()):
        if language == "python":
            compile(code, name_of(path), "exec")


def decisions():
    return sorted((ROOT / "docs/adr").glob("[0-9]*.md"))


def test_decisions_are_numbered_without_a_hole_and_listed():
    index = (ROOT / "docs/adr/README.md").read_text()
    withdrawn = re.findall(r"^\| (\d{4}) \|.*\| withdrawn \|$", index, re.MULTILINE)
    numbers = sorted(int(number) for number in [*(p.name[:4] for p in decisions()), *withdrawn])
    assert numbers == list(range(1, len(numbers) + 1))
    listed = set(LINK.findall(index))
    assert {path.name for path in decisions()} <= listed


@pytest.mark.parametrize("path", decisions(), ids=name_of)
def test_a_decision_has_every_part_on_one_page(path):
    text = path.read_text()
    wanted = re.findall(r"^## .+$", (ROOT / "docs/adr/template.md").read_text(), re.MULTILINE)
    assert re.findall(r"^## .+$", text, re.MULTILINE) == wanted
    assert re.search(
        r"^State: (proposed|accepted|replaced by \d{4})\. Date: \d{4}-", text, re.MULTILINE
    )
    assert text.splitlines()[0].startswith(f"# {path.name[:4]}: ")
    assert len(text.splitlines()) <= 80


@pytest.mark.parametrize("path", decisions(), ids=name_of)
def test_a_decision_names_what_enforces_it(path):
    enforced = path.read_text().partition("## Enforced by")[2]
    assert LINK.findall(enforced)


def test_the_changelog_begins_with_what_is_not_released_yet():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    for released in headings[1:]:
        assert re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", released)


def test_the_first_screen_shows_all_seven_hops():
    first_screen = (ROOT / "README.md").read_text().partition("## See it")[0]
    assert re.findall(r"^\| (\d) \|", first_screen, re.MULTILINE) == list("1234567")
    for row in re.findall(r"^\| \d \|.*$", first_screen, re.MULTILINE):
        assert LINK.findall(row)


def test_every_setting_of_compose_is_explained_with_its_default():
    compose = (ROOT / "docker-compose.yml").read_text()
    settings = set(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", compose))
    page = (ROOT / "docs/how-to/run-with-compose.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \|.*\| (?:`([^`]*)`|empty) \|$", page, re.MULTILINE)
    assert set(rows) == settings
