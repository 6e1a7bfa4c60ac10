"""Documents: their links, files, make targets, commands and code blocks are right."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")],
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
WORD_IN_CODE = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
WRITTEN_FILE = re.compile(r"^`([^`\n]+)`:\n\n```(?!diff)", re.MULTILINE)
"""Files that a how-to makes its reader write."""
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
OUR_FOLDERS = ("command_api/", "query_api/", "projectors/", "events/", "infra/", "tests/", "docs/")


def name_of(path):
    return str(path.relative_to(ROOT))


def anchors(path):
    """Anchors of a document: its headings, as a web page names them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


def test_links_have_existing_targets():
    assert [f"{name_of(path)}: {link}" for path in DOCUMENTS for link in lost_links(path)] == []


def lost_links(path):
    for link in LINK.findall(path.read_text()):
        if re.match(r"[a-z]+://|mailto:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (anchor and anchor not in anchors(file)):
            yield link


def test_named_files_exist():
    assert [
        f"{name_of(path)}: {word}"
        for path in DOCUMENTS
        for word in named_files(path)
        if not (ROOT / word).exists() and word.count("/") > 1
    ] == []


def named_files(path):
    text = path.read_text()
    named = {
        word.partition("::")[0]  # name of a test
        for word in WORD_IN_CODE.findall(text)
        if word.startswith(OUR_FOLDERS)
    }
    return sorted(named - set(WRITTEN_FILE.findall(text)))


def test_named_make_targets_exist():
    assert [
        f"{name_of(path)}: make {target}"
        for path in DOCUMENTS
        for target in re.findall(r"(?:^|`|\| )make ([a-z][a-z-]*)", path.read_text(), re.MULTILINE)
        if target not in TARGETS
    ] == []


def test_named_management_commands_exist():
    our_commands = {file.stem for file in ROOT.glob("*/**/management/commands/*.py")}
    known_commands = our_commands | {"migrate", "check", "makemigrations", "collectstatic"}
    assert [
        f"{name_of(path)}: manage.py {command}"
        for path in DOCUMENTS
        for command in re.findall(r"manage\.py ([a-z_]+)", path.read_text())
        if command not in known_commands
    ] == []


def test_shell_blocks_can_be_parsed():
    errors_by_page = {}
    for path in DOCUMENTS:
        code = "\n".join(
            code for language, code in BLOCK.findall(path.read_text()) if language == "sh"
        )
        parsed = subprocess.run(
            ["bash", "-n"], input=code, text=True, capture_output=True, check=False
        )
        if parsed.returncode:
            errors_by_page[name_of(path)] = parsed.stderr
    assert errors_by_page == {}


def test_python_blocks_can_be_compiled():
    errors_by_page = {}
    for path in DOCUMENTS:
        for language, code in BLOCK.findall(path.read_text()):
            if language == "python":
                try:
                    compile(code, name_of(path), "exec")
                except SyntaxError as error:
                    errors_by_page[name_of(path)] = str(error)
    assert errors_by_page == {}


def decisions():
    return sorted((ROOT / "docs/adr").glob("[0-9]*.md"))


def test_decisions_are_numbered_without_a_hole_and_listed():
    index = (ROOT / "docs/adr/README.md").read_text()
    withdrawn = re.findall(r"^\| (\d{4}) \|.*\| withdrawn \|$", index, re.MULTILINE)
    numbers = sorted(int(number) for number in [*(p.name[:4] for p in decisions()), *withdrawn])
    assert numbers == list(range(1, len(numbers) + 1))
    listed = set(LINK.findall(index))
    assert {path.name for path in decisions()} <= listed


def test_every_decision_has_every_part_on_one_page():
    wrong = {name_of(path): list(decision_faults(path)) for path in decisions()}
    assert {name: faults for name, faults in wrong.items() if faults} == {}


def decision_faults(path):
    text = path.read_text()
    headings = re.findall(r"^## .+$", (ROOT / "docs/adr/template.md").read_text(), re.MULTILINE)
    if re.findall(r"^## .+$", text, re.MULTILINE) != headings:
        yield "its headings are not those of template.md"
    state = r"^State: (proposed|accepted|replaced by \d{4})\. Date: \d{4}-"
    if not re.search(state, text, re.MULTILINE):
        yield "no line State: ... Date: ..."
    if not text.splitlines()[0].startswith(f"# {path.name[:4]}: "):
        yield "its title does not begin with its number"
    if len(text.splitlines()) > 80:
        yield "more than 80 lines"


def test_every_decision_names_what_enforces_it():
    enforced = {path: path.read_text().partition("## Enforced by")[2] for path in decisions()}
    assert [name_of(path) for path, text in enforced.items() if not LINK.findall(text)] == []


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
