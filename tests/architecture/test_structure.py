"""Structure of the tree: where files are, how long they are, and which names they have."""

import ast
import importlib
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("command_api", "query_api", "projectors", "events", "infra")
PACKAGES = (*PRODUCT, "benchmarks")
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
# Django finds management commands by this name.
PRESCRIBED_CLASS_NAMES = {"Command"}
# A movie's credit, in its event and in the table made from it.
SHARED_CLASS_NAMES = {"Credit"}


def name_of(path):
    return str(path.relative_to(ROOT))


@cache
def tree_of(path):
    return ast.parse(path.read_text())


def first_line(path):
    return (ast.get_docstring(tree_of(path)) or "").partition("\n")[0].strip()


def test_every_module_has_a_first_line():
    assert [name_of(path) for path in CODE if not first_line(path)] == []


def test_no_module_is_longer_than_400_lines():
    lines = {name_of(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {name: count for name, count in lines.items() if count > LONGEST_MODULE} == {}


def test_no_function_is_longer_than_60_lines():
    assert [
        f"{name_of(path)}::{node.name}"
        for path in CODE
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and length(node) > LONGEST_FUNCTION
    ] == []


def length(node):
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_module_names_say_what_is_inside():
    words = {name_of(path): set(path.relative_to(ROOT).with_suffix("").parts) for path in MODULES}
    assert [name for name, parts in words.items() if parts & EMPTY_NAMES] == []


def test_public_class_names_are_unique():
    """A name is searched for and found in one place; the benchmarks count as well."""
    places = defaultdict(list)
    for path in CODE:
        for node in tree_of(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name_of(path))
    for name in PRESCRIBED_CLASS_NAMES | SHARED_CLASS_NAMES:
        places.pop(name, None)
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_product_code_does_not_import_tests():
    assert [
        f"{name_of(path)}: {module}"
        for path in CODE
        if path.relative_to(ROOT).parts[0] in PRODUCT
        for module in imported(path)
        if module.partition(".")[0] == "tests"
    ] == []


def imported(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def aggregates():
    """Folders of command_api that decide something."""
    return sorted(path.parent for path in (ROOT / "command_api").glob("*/decider.py"))


def apis():
    return sorted(path.parent for path in (ROOT / "command_api").glob("*/api.py"))


def test_aggregates_are_found():
    assert {"ratings", "accounts"} <= {folder.name for folder in aggregates()}


def test_every_decider_decides_events_of_the_catalogue():
    assert [
        folder.name
        for folder in aggregates()
        if "from events.catalogue" not in (folder / "decider.py").read_text()
    ] == []


def test_every_aggregate_but_three_has_an_api():
    without = {folder.name for folder in aggregates() if not (folder / "api.py").exists()}
    assert without <= WITHOUT_HTTP


def test_every_api_has_a_url():
    urls = "".join(path.read_text() for path in (ROOT / "command_api").glob("urls*.py"))
    assert [
        folder.name
        for folder in apis()
        if f"command_api.{folder.name}" not in urls and f"{folder.name}.api" not in urls
    ] == []


def test_every_api_but_two_has_a_decider():
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


def test_every_read_model_has_a_projection():
    folders = [ROOT / "projectors" / "read_models" / name for name in read_models()]
    assert [folder.name for folder in folders if not (folder / "projection.py").exists()] == []


def test_every_read_model_is_read_by_the_query_api():
    queries = "".join(path.read_text() for path in (ROOT / "query_api").rglob("*.py"))
    unread = [name for name in read_models() if f"projectors.read_models.{name}" not in queries]
    assert unread == []


def test_every_package_is_tested():
    packages = ("command_api", "query_api", "projectors", "events")
    untested = [
        package for package in packages if not list((ROOT / "tests" / package).rglob("test_*.py"))
    ]
    assert untested == []
