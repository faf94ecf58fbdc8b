"""The code uses the words of the field: each word here means something else there, or nothing."""

import ast
import io
import re
import tokenize

import pytest

from tests.repository.documents import ROOT

# What is not written, as a regular expression, and what is written instead.
WORDS = {
    r"receipts?": "Standing, where a version stands with each person",
    r"fates?": "SendStatus, or what became of it",
    r"alarms?": "trouble, or VALARM",
    r"errands?": "action",
    r"kernel": "what the code is about",
    r"held": "stored, or locked",
    r"whoever": "the caller, the recipient, the client",
    r"carr(?:y|ies|ied|ying)[\s_]+out": "do, run, send",
    r"(?-i:Envelope)": "ComposedMail",
}

# Where a word means what it means in the field: the word, where, and why.
EXCEPTIONS = {
    (r"alarms?", "meetings/itip/ical/writer.py"): "iCalendar's Alarm is a component, VALARM",
    (r"kernel", "meeting_server/database/__init__.py"): "the operating system's, which has flock",
    (r"held", "meeting_server/database/place.py"): "a lock of a file is held",
    (r"(?-i:Envelope)", "meetings/transport/smtp/submission.py"): "SMTP's own: sender, recipients",
    (r"(?-i:Envelope)", "meetings/transport/smtp/backend.py"): "it makes SMTP's envelopes",
}


def prose_and_names(source: str) -> str:
    """The identifiers, comments and docstrings of a module, one a line."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    kept = [token.string for token in tokens if token.type in (tokenize.NAME, tokenize.COMMENT)]
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    return "\n".join([*kept, *(ast.get_docstring(node) or "" for node in nodes)])


def has(word: str, text: str) -> bool:
    """Whether the word is there, alone or as a part of a name like ``is_held``."""
    return bool(re.search(rf"(?i)(?<![a-z]){word}(?![a-z])", text))


def texts() -> dict[str, str]:
    paths = [*(ROOT / "meetings").rglob("*.py"), *(ROOT / "meeting_server").rglob("*.py")]
    return {path.relative_to(ROOT).as_posix(): prose_and_names(path.read_text()) for path in paths}


@pytest.mark.parametrize("word", WORDS)
def test_word_is_not_used(word: str) -> None:
    found = {path for path, text in texts().items() if has(word, text)}
    excepted = {path for other, path in EXCEPTIONS if other == word}
    assert sorted(found - excepted) == [], f"instead: {WORDS[word]}"
    assert sorted(excepted - found) == [], "no exception is needed"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("is_held = 1", True),
        ("def f():\n    '''Held by us.'''", True),
        ("x = 1  # held", True),
        ("x = 'held'", False),
        ("withheld = 1", False),
    ],
)
def test_word_is_found_in_names_comments_and_docstrings(source: str, found: bool) -> None:
    assert has("held", prose_and_names(source)) is found
