"""The environment variables that the server reads, found in its source."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.repository.documents import ROOT

TYPES = {
    "bool": "switch",
    "float": "number",
    "int": "integer",
    "list": "list",
    "str": "text",
}
# What is computed, as the documents put it.
_COMPUTED = {"EMAIL_BACKEND": "from `EMAIL_URL`", "VAR_DIR": "`var`"}
_URLS = {"DATABASE_URL", "EMAIL_URL", "CELERY_BROKER_URL"}


@dataclass(frozen=True)
class Setting:
    """One variable; ``default`` is as a table shows it."""

    name: str
    type: str
    default: str


def settings() -> dict[str, Setting]:
    """Those of ``meeting_server/settings.py`` and ``gunicorn.conf.py``, by name."""
    found = [*_of_gunicorn(), *_of_django()]
    return {setting.name: setting for setting in found}


def _of_django() -> list[Setting]:
    tree = ast.parse((ROOT / "meeting_server" / "settings.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_read(node)]
    return [_setting(call) for call in calls]


def _is_read(call: ast.Call) -> bool:
    """Whether it is ``env.str("NAME", …)`` or the like. ``env.db_url`` reads names again."""
    function = call.func
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "env"
        and function.attr in TYPES
    )


def _setting(call: ast.Call) -> Setting:
    assert isinstance(call.func, ast.Attribute)
    name = ast.literal_eval(call.args[0])
    default = next(keyword.value for keyword in call.keywords if keyword.arg == "default")
    kind = "URL" if name in _URLS else TYPES[call.func.attr]
    return Setting(name, kind, _COMPUTED.get(name) or _shown(_value(default)))


def _value(expression: ast.expr) -> Any:
    return eval(ast.unparse(expression), {"__builtins__": {}})  # noqa: S307 (our own source)


def _shown(value: Any) -> str:
    if value in ("", []):
        return "none"
    if isinstance(value, bool):
        return "`on`" if value else "`off`"
    items = value if isinstance(value, list) else [value]
    return f"`{','.join(f'{item:g}' if isinstance(item, float) else str(item) for item in items)}`"


def _of_gunicorn() -> list[Setting]:
    source = (ROOT / "gunicorn.conf.py").read_text()
    reads = re.findall(r"""environ\.get\(["'](\w+)["'][^\n]*?["'](\d+)["']""", source)
    return [Setting(name, "integer", f"`{default}`") for name, default in reads]


def variables() -> set[str]:
    """Every environment variable that any of our programs reads, and those of the Makefile."""
    sources = [path.read_text() for folder in _SOURCES for path in _python(ROOT / folder)]
    read = re.findall(r"""environ(?:\.get\(|\.setdefault\(|\[)["'](\w+)["']""", "\n".join(sources))
    makefile = re.findall(r"(?m)^(?:export )?(\w+) *[?:]?=", (ROOT / "Makefile").read_text())
    return {*settings(), *read, *makefile}


_SOURCES = ("meeting_server", "meetings", "tests")


def _python(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))
