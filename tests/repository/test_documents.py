"""What documents name is there: paths, tests, commands, settings, links, pictures."""

import re
import shlex
import struct
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from tests.repository.documents import DOCUMENTS, ROOT, Document
from tests.repository.settings_read import settings, variables

_every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=str)
_CONFIGURATION = Document(ROOT / "docs" / "configuration.md")
_BASES = (ROOT, ROOT / "meetings")
_MADE_AT_RUN_TIME = ("VAR_DIR", "var", ".venv")
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
_FILE = re.compile(r".*\w\.(?:py|md|toml|txt|ya?ml|html|css|json|mjs|sh|po|mo|png)")
_NOT_OURS = {"__pycache__", "node_modules", ".git", ".venv", "var"}
_FILE_NAMES = {
    path.name for path in ROOT.rglob("*.*") if not _NOT_OURS & set(path.relative_to(ROOT).parts)
}
_TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"(?m)^ *(?:async )?def (test_\w+)", path.read_text())
}

_IDENTIFIERS = {
    word
    for folder in ("meeting_server", "meetings", "tests")
    for path in (ROOT / folder).rglob("*.py")
    for word in re.findall(r"\w+", f"{path.stem} {path.read_text()}")
}


def is_path(word: str) -> bool:
    """Whether a document means a file or folder of this repository by ``word``."""
    if not _PATH.fullmatch(word) or word.split("/", maxsplit=1)[0] in _MADE_AT_RUN_TIME:
        return False
    if word.endswith("/") or _FILE.fullmatch(word):
        return True
    first, slash, _ = word.partition("/")
    return bool(slash) and any((base / first).is_dir() for base in _BASES)


def exists(word: str, folder: Path) -> bool:
    """Whether there is such a path: from the root, from ``meetings/``, or beside the document."""
    if "/" not in word:
        return word in _FILE_NAMES
    return any((base / word).exists() for base in (*_BASES, folder))


def words(document: Document) -> list[str]:
    return [word.strip("'\",") for code in document.code for word in code.split()]


@_every_document
def test_document_has_no_gap_to_fill(document: Document) -> None:
    assert not re.findall(r"\bTODO.*", document.path.read_text())


@_every_document
def test_paths_in_document_exist(document: Document) -> None:
    paths = {word.split("::")[0] for word in words(document) if is_path(word.split("::")[0])}
    absent = sorted(path for path in paths if not exists(path, document.path.parent))
    assert not absent, absent


@_every_document
def test_tests_in_document_exist(document: Document) -> None:
    named = {name for word in words(document) for name in re.findall(r"\btest_\w+(?!.*\.py)", word)}
    absent = sorted(named - _TESTS)
    assert not absent, absent


@_every_document
def test_make_targets_in_document_exist(document: Document) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = {
        target for line in re.findall(r"(?m)^([a-z][a-z ]*):", makefile) for target in line.split()
    }
    named = {name for code in document.code for name in re.findall(r"\bmake ([a-z]\w*)", code)}
    absent = sorted(named - targets)
    assert not absent, absent


@_every_document
def test_commands_and_options_in_document_exist(document: Document) -> None:
    unknown = []
    for code in document.code:
        for name, arguments in re.findall(r"\bmanage\.py (\w+)([^|;&]*)", code):
            if name not in get_commands():
                unknown.append(name)
                continue
            options = {word for word in shlex.split(arguments) if word.startswith("--")}
            unknown += [f"{name} {option}" for option in sorted(options - options_of(name))]
    assert not unknown, unknown


def options_of(command: str) -> set[str]:
    made = load_command_class(get_commands()[command], command)
    return set(made.create_parser("manage.py", command)._option_string_actions)


@_every_document
def test_settings_in_document_exist(document: Document) -> None:
    assigned = [name for line in document.commands for name in re.findall(r"\b([A-Z_]+)=", line)]
    spelt = [span for span in document.spans if re.fullmatch(r"[A-Z]+(?:_[A-Z]+)+", span)]
    families = re.findall(r"\b(?:MEETINGS|CELERY|EMAIL)_[A-Z_]+", " ".join(document.code))
    unknown = sorted({*assigned, *spelt, *families} - variables())
    assert not unknown, unknown


@_every_document
def test_links_in_document_resolve(document: Document) -> None:
    broken = []
    for target in document.targets:
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        found = document.path.parent / path if path else document.path
        if not found.exists() or (anchor and anchor not in Document(found).anchors):
            broken.append(target)
    assert not broken, broken


@_every_document
def test_functions_and_classes_in_document_exist(document: Document) -> None:
    name = re.compile(r"_?[a-z]+(?:_[a-z]+)+|_?(?:[A-Z][a-z]+){2,}")
    named = {span for span in document.spans if name.fullmatch(span)}
    absent = sorted(named - _IDENTIFIERS)
    assert not absent, absent


def documented_settings(document: Document) -> list[dict[str, str]]:
    """The rows about variables, by the table's head, in whatever language."""
    english = {"变量": "variable", "默认值": "default"}
    rows = []
    for head, *body in document.tables:
        names = [english.get(name, name) for name in head]
        if names[0] == "variable":
            rows += [dict(zip(names, row, strict=True)) for row in body]
    return [row | {"variable": row["variable"].strip("`")} for row in rows]


def test_configuration_matches_the_settings() -> None:
    listed = {
        (row["variable"], row["type"], row["default"])
        for row in documented_settings(_CONFIGURATION)
    }
    assert listed == {
        (setting.name, setting.type, setting.default) for setting in settings().values()
    }


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_readme_lists_six_settings(name: str) -> None:
    rows = documented_settings(Document(ROOT / name))
    assert len(rows) == 6
    for row in rows:
        assert row["default"] in (settings()[row["variable"]].default, "无")


def test_index_of_documents_is_complete() -> None:
    index = Document(ROOT / "docs" / "README.md")
    listed = {(index.path.parent / target).resolve() for target in index.targets}
    assert listed >= {*(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md"} - {index.path}


def test_index_of_decisions_is_complete() -> None:
    index = Document(ROOT / "docs" / "decisions" / "README.md")
    files = sorted(path.name for path in index.path.parent.glob("0*.md"))
    assert index.targets == files
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))


def test_pictures_are_small_and_shown() -> None:
    shown = {
        (document.path.parent / target).resolve()
        for document in DOCUMENTS
        for target in document.targets
    }
    pictures = {path: path.read_bytes() for path in (ROOT / "docs" / "images").glob("*.png")}
    assert set(pictures) <= shown
    for content in pictures.values():
        (width,) = struct.unpack(">I", content[16:20])  # of the IHDR chunk
        assert width <= 1200
        assert len(content) < 200_000


def test_rules_that_the_code_cites_are_documented() -> None:
    document = Document(ROOT / "docs" / "interop.md")
    documented = {rule for table in document.tables for row in table for rule in row[0].split(", ")}
    documented |= set(re.findall(r"\*\*(\w\d+)\*\*", document.path.read_text()))
    sources = [path.read_text() for path in sorted((ROOT / "meetings").rglob("*.py"))]
    citations = re.findall(r"interop ((?:[MPSRZAY]\d+(?:, |,? and |–| to )?)+)", "\n".join(sources))
    cited = {rule for citation in citations for rule in re.findall(r"[A-Z]\d+", citation)}
    assert len(cited) > 20
    assert sorted(cited - documented) == []
