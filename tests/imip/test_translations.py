"""The catalogs: complete, compiled, and with the same placeholders as the originals."""

import re
from collections.abc import Iterator
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

APPLICATION = Path(__file__).parent.parent.parent / "meetings"
LOCALES = sorted(path.name for path in (APPLICATION / "locale").iterdir())
KEYWORDS = {
    **dict.fromkeys(("gettext", "gettext_lazy", "gettext_noop", "_"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}


def catalog(locale: str) -> Catalog:
    with (APPLICATION / "locale" / locale / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=locale, abort_invalid=True)


def translations(locale: str) -> Iterator[Message]:
    return (message for message in catalog(locale) if message.id)


def used() -> set[tuple[str | None, str]]:
    """Context and singular form of each text that the code wants translated."""
    found = [
        (text, context)
        for _, _, text, _, context in extract_from_dir(
            APPLICATION, [("**.py", "python")], keywords=KEYWORDS
        )
    ]
    for path in (APPLICATION / "templates").rglob("*.html"):
        source = BytesIO(templatize(path.read_text()).encode())
        found += [
            (text, context) for _, text, _, context in extract("python", source, keywords=KEYWORDS)
        ]
    return {(context, text if isinstance(text, str) else text[0]) for text, context in found}


def forms(message: Message) -> list[str]:
    """The translation, in each of its plural forms."""
    text = message.string
    return [text or ""] if isinstance(text, str) or text is None else list(text)


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s", text))


def test_each_language_but_english_has_a_catalog() -> None:
    assert {to_locale(code) for code, _ in settings.LANGUAGES} - {"en"} == set(LOCALES)


@pytest.mark.parametrize("locale", LOCALES)
def test_catalog_has_every_text_and_no_other(locale: str) -> None:
    known = {
        (message.context, message.id if isinstance(message.id, str) else message.id[0])
        for message in translations(locale)
    }
    assert known == used()


@pytest.mark.parametrize("locale", LOCALES)
def test_no_translation_is_empty_or_fuzzy(locale: str) -> None:
    for message in translations(locale):
        assert all(forms(message)), message.id
        assert not message.fuzzy, message.id


@pytest.mark.parametrize("locale", LOCALES)
def test_translation_has_no_placeholder_of_its_own(locale: str) -> None:
    for message in translations(locale):
        source = message.id if isinstance(message.id, str) else message.id[1]
        for form in forms(message):
            assert placeholders(form) <= placeholders(source), message.id


@pytest.mark.parametrize("locale", LOCALES)
def test_compiled_catalog_is_up_to_date(locale: str) -> None:
    """If not: ``pybabel compile -D django -d meetings/locale``."""
    compiled = BytesIO()
    write_mo(compiled, catalog(locale))
    compiled.seek(0)
    with (APPLICATION / "locale" / locale / "LC_MESSAGES" / "django.mo").open("rb") as file:
        assert texts(file) == texts(compiled)


def texts(file: object) -> dict[str, str]:
    return {key: text for key, text in vars(GNUTranslations(file))["_catalog"].items() if key}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "template", sorted((APPLICATION / "templates").rglob("mail/*")), ids=lambda path: path.name
)
def test_templates_of_mails_have_no_words_of_their_own(template: Path) -> None:
    assert "gettext(" not in templatize(template.read_text())
