"""Is the tree built the way that people expect to find it?"""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("command_api", "query_api", "projectors", "events", "infra", "benchmarks")
MODULES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if path.read_text()
)
CODE = [path for path in MODULES if path.parent.name != "migrations"]
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
# Movies come by imports, trends by the sync, staff by manage.py grant_staff.
WITHOUT_HTTP = {"catalogue", "staff", "trends"}
# Credentials are never in the log; export only reads it.
WITHOUT_EVENTS = {"export", "passwords"}
# Words that say nothing about what is inside.
EMPTY_NAMES = {"utils", "util", "helpers", "common", "manager", "managers", "processor", "misc"}


def name_of(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_asks_its_question_in_its_first_line(path):
    text = ast.get_docstring(ast.parse(path.read_text()))
    assert text, "no docstring"
    assert text.splitlines()[0].strip(), "the first line is empty"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_is_short_enough_to_be_read(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= LONGEST_MODULE


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_has_no_endless_function(path):
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = [node.name for node in functions if length(node) > LONGEST_FUNCTION]
    assert not long


def length(node):
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_names_say_what_is_inside():
    words = {name_of(path): set(path.relative_to(ROOT).with_suffix("").parts) for path in MODULES}
    assert [name for name, parts in words.items() if parts & EMPTY_NAMES] == []


def aggregates():
    """Folders of command_api that decide something."""
    return sorted(path.parent for path in (ROOT / "command_api").glob("*/decider.py"))


def apis():
    return sorted(path.parent for path in (ROOT / "command_api").glob("*/api.py"))


def test_there_are_aggregates():
    assert {"ratings", "accounts"} <= {folder.name for folder in aggregates()}


@pytest.mark.parametrize("folder", aggregates(), ids=name_of)
def test_a_decider_decides_events_of_the_catalogue(folder):
    assert "from events.catalogue" in (folder / "decider.py").read_text()


@pytest.mark.parametrize("folder", aggregates(), ids=name_of)
def test_an_aggregate_can_be_commanded(folder):
    assert folder.name in WITHOUT_HTTP or (folder / "api.py").exists()


@pytest.mark.parametrize("folder", apis(), ids=name_of)
def test_an_api_has_a_url(folder):
    urls = "".join(path.read_text() for path in (ROOT / "command_api").glob("urls*.py"))
    assert f"command_api.{folder.name}" in urls or f"{folder.name}.api" in urls


def test_whoever_has_an_api_decides():
    without = {folder.name for folder in apis() if folder not in aggregates()}
    assert without == WITHOUT_EVENTS


def read_models():
    return sorted(
        path.parent.name for path in (ROOT / "projectors" / "read_models").glob("*/read_model.py")
    )


def test_every_read_model_is_registered():
    registry = importlib.import_module("projectors.registry")
    registered = {model.__module__.split(".")[2] for model in registry.MODELS}
    assert registered == set(read_models())


@pytest.mark.parametrize("name", read_models())
def test_a_read_model_has_a_meaning(name):
    assert (ROOT / "projectors" / "read_models" / name / "projection.py").exists()


@pytest.mark.parametrize("name", read_models())
def test_a_read_model_is_asked(name):
    """Some module of the query API opens it: an answer that nobody can get is no answer."""
    askers = [
        path
        for path in (ROOT / "query_api").rglob("*.py")
        if f"projectors.read_models.{name}" in path.read_text()
    ]
    assert askers


@pytest.mark.parametrize("package", ["command_api", "query_api", "projectors", "events"])
def test_every_package_is_tested(package):
    assert list((ROOT / "tests" / package).rglob("test_*.py"))
