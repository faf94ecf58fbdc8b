"""A fixture of the tests is known by its name: no other fixture has that name."""

import ast
from collections import defaultdict
from collections.abc import Iterator

from tests.repository.documents import ROOT

# A fixture that overrides another one on purpose: its name, and why.
OVERRIDDEN: dict[str, str] = {}


def fixtures(source: str) -> Iterator[str]:
    """The names of the fixtures that a module makes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
            map(_makes_fixture, node.decorator_list)
        ):
            yield node.name


def _makes_fixture(decorator: ast.expr) -> bool:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(function).split(".")[-1] == "fixture"


def test_no_two_fixtures_have_one_name() -> None:
    places = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for name in fixtures(path.read_text()):
            places[name].append(path.relative_to(ROOT).as_posix())
    assert len(places) > 20
    twice = {name: found for name, found in places.items() if len(found) > 1}
    assert twice.keys() == OVERRIDDEN.keys(), twice


def test_fixtures_are_found() -> None:
    source = (
        "@pytest.fixture\ndef one(): ...\n"
        "@pytest.fixture(scope='module')\nasync def two(): ...\n"
        "@fixture\ndef three(): ...\n"
        "@contextmanager\ndef four(): ...\n"
    )
    assert [*fixtures(source)] == ["one", "two", "three"]
