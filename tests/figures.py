"""``python -m tests.figures``: how long, how wide and how well commented the code is.

The limits hold for the service (``meetings`` and ``meeting_server``). The same figures for the
tests, except their use of ``Any``, follow for information. The exit status is 1 if the service
passes a limit. Each place that does is named.

How the figures are counted:

- A function has the lines from its ``def`` to its last line. Blank lines and comments count, its
  docstring does not. A nested function counts on its own and as a part of the outer one.
- ``self`` and ``cls`` are no parameters; ``*args`` and ``**kwargs`` are.
- The modules of a folder are its .py files without ``__init__.py``.
- A line of code is not blank, not in a docstring and not only a comment. Comments that instruct a
  tool (noqa, type, fmt, pragma) do not count as comments.
- A method that overrides a method of a framework has no choice: its number of parameters and the
  ``Any`` in its signature are excused. So is ``Any`` for parameters named ``args``, ``kwargs`` or
  ``options``, which Django calls so.
"""

import ast
import importlib
import io
import os
import sys
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median, quantiles
from typing import Final, TypeGuard

import django

SERVICE: Final = ("meetings", "meeting_server")
TESTS: Final = ("tests",)
LEFT_OUT: Final = ("meetings/migrations/",)
MAY_SAY_ANY: Final = "meetings/api/reading/"  # JSON before it is checked
PASSED_ON: Final = ("args", "kwargs", "options")
INSTRUCTIONS: Final = ("# noqa", "# type:", "# fmt:", "# pragma:")
LAYOUT: Final = (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)

MEDIAN: Final = 10  # a median function is shorter
P90: Final = 20
FUNCTION: Final = 40
FILE: Final = 300
PARAMETERS: Final = 5
MODULES: Final = 14
COMMENTS: Final = 2.5  # in 100 lines of code, at least

Def = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Function:
    """A function; if it is a method, with the names of its class and the classes around that."""

    path: Path
    node: Def
    classes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path}:{self.node.lineno} {'.'.join((*self.classes, self.node.name))}"

    @property
    def length(self) -> int:
        first = self.node.body[0]
        return _height(self.node) - (_height(first) if _is_text(first) else 0)

    @property
    def arguments(self) -> list[ast.arg]:
        of = self.node.args
        named = [*of.posonlyargs, *of.args, *of.kwonlyargs]
        return [*named, *(variadic for variadic in (of.vararg, of.kwarg) if variadic)]

    @property
    def parameters(self) -> int:
        return sum(argument.arg not in ("self", "cls") for argument in self.arguments)

    @cached_property
    def is_override(self) -> bool:
        """Whether a class of a framework has a method of this name, which this one overrides."""
        if not self.classes:
            return False
        owner = importlib.import_module(_import_name(self.path))
        for name in self.classes:
            owner = getattr(owner, name)
        bases = getattr(owner, "__mro__", ())
        return any(self.node.name in vars(base) for base in bases if not _is_ours(base))

    @property
    def excused_anys(self) -> Iterator[ast.Name]:
        for argument in self.arguments:
            if argument.arg in PASSED_ON:
                yield from _anys(argument)
        signature = [*self.arguments, *([self.node.returns] if self.node.returns else [])]
        found = [any_ for part in signature for any_ in _anys(part)]
        if found and self.is_override:
            yield from found


@dataclass(frozen=True)
class Module:
    """A Python file."""

    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    @cached_property
    def functions(self) -> list[Function]:
        return [Function(self.path, *found) for found in _functions(self.tree)]

    @cached_property
    def comments(self) -> set[int]:
        """The numbers of the lines with a comment."""
        return {
            token.start[0]
            for token in self._tokens()
            if token.type == tokenize.COMMENT and not token.string.startswith(INSTRUCTIONS)
        }

    @cached_property
    def code(self) -> set[int]:
        """The numbers of the lines with code."""
        code = {
            number
            for token in self._tokens()
            if token.string and token.type not in (*LAYOUT, tokenize.COMMENT)
            for number in range(token.start[0], token.end[0] + 1)
        }
        texts = (node for node in ast.walk(self.tree) if _is_text(node))
        return code.difference(*(range(node.lineno, _last(node) + 1) for node in texts))

    @property
    def anys(self) -> list[int]:
        """The line number of each ``Any`` that nothing excuses."""
        if self.path.as_posix().startswith(MAY_SAY_ANY):
            return []
        excused = {any_ for function in self.functions for any_ in function.excused_anys}
        return sorted(any_.lineno for any_ in _anys(self.tree) if any_ not in excused)

    def _tokens(self) -> Iterator[tokenize.TokenInfo]:
        return tokenize.generate_tokens(io.StringIO(self.text).readline)


def _functions(parent: ast.AST, *classes: str) -> Iterator[tuple[Def, tuple[str, ...]]]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, Def):
            yield node, classes
            yield from _functions(node)
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, *classes, node.name)
        else:
            yield from _functions(node, *classes)


def _import_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _last(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _height(node: ast.stmt) -> int:
    return _last(node) - node.lineno + 1


def _is_text(node: ast.AST) -> TypeGuard[ast.Expr]:
    """Whether it is a docstring, or the text under a constant."""
    value = node.value if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _is_ours(owner: type) -> bool:
    return owner.__module__.split(".")[0] in (*SERVICE, *TESTS)


def _anys(root: ast.AST) -> Iterator[ast.Name]:
    names = (node for node in ast.walk(root) if isinstance(node, ast.Name))
    return (name for name in names if name.id == "Any")


@dataclass(frozen=True)
class Figure:
    """One figure, its limit, and the places that pass the limit."""

    name: str
    value: float
    limit: str
    is_met: bool
    places: Iterable[str] = ()

    def __str__(self) -> str:
        mark = "" if self.is_met else "  over the limit"
        line = f"{self.name:34}{self.value:>8.3g}  (limit: {self.limit}){mark}"
        return "\n".join((line, *(f"    {place}" for place in self.places)))


def figures(modules: list[Module]) -> Iterator[Figure]:
    yield from _sizes_of_functions([one for module in modules for one in module.functions])
    yield from _sizes_of_files(modules)
    comments = sum(len(module.comments) for module in modules)
    density = 100 * comments / sum(len(module.code) for module in modules)
    yield Figure("comments in 100 lines of code", density, f">= {COMMENTS}", density >= COMMENTS)


def _sizes_of_functions(functions: list[Function]) -> Iterator[Figure]:
    lengths = [function.length for function in functions]
    middle, p90 = median(lengths), quantiles(lengths, n=10)[-1]
    yield Figure("median function, lines", middle, f"< {MEDIAN}", middle < MEDIAN)
    yield Figure("90 of 100 functions, lines", p90, f"<= {P90}", p90 <= P90)
    long = [f"{one}: {one.length}" for one in functions if one.length > FUNCTION]
    yield _none(f"functions over {FUNCTION} lines", long)
    wide = [one for one in functions if one.parameters > PARAMETERS and not one.is_override]
    yield _none(
        f"functions over {PARAMETERS} parameters", [f"{one}: {one.parameters}" for one in wide]
    )


def _sizes_of_files(modules: list[Module]) -> Iterator[Figure]:
    long = [f"{module.path}: {module.lines}" for module in modules if module.lines > FILE]
    yield _none(f"files over {FILE} lines", long)
    folders = Counter(one.path.parent for one in modules if one.path.name != "__init__.py")
    full = [f"{folder}: {count}" for folder, count in folders.items() if count > MODULES]
    yield _none(f"folders over {MODULES} modules", full)


def uses_of_any(modules: list[Module]) -> Figure:
    lines = {module.path: module.anys for module in modules}
    places = [f"{path}: {', '.join(map(str, found))}" for path, found in lines.items() if found]
    return Figure("uses of Any", sum(map(len, lines.values())), "none", not places, places)


def _none(name: str, places: list[str]) -> Figure:
    return Figure(name, len(places), "none", not places, places)


def modules_of(packages: Iterable[str]) -> list[Module]:
    paths = sorted(path for package in packages for path in Path(package).rglob("*.py"))
    return [Module(path) for path in paths if not path.as_posix().startswith(LEFT_OUT)]


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_server.settings")
    django.setup()  # models and admin classes can be imported only then
    modules = modules_of(SERVICE)
    service = [*figures(modules), uses_of_any(modules)]
    _write("The service", service)
    _write("The tests, for information", figures(modules_of(TESTS)))
    return 0 if all(figure.is_met for figure in service) else 1


def _write(title: str, lines: Iterable[Figure]) -> None:
    sys.stdout.write("\n".join((title, *map(str, lines), "\n")))


if __name__ == "__main__":
    sys.exit(main())
