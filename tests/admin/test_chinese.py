"""The admin in Chinese: no label is left in English."""

import re
from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.utils.translation import override

from meetings.models import ApiKey, Meeting, OccurrenceOverride
from meetings.operations.pause import pause
from tests.admin.pages import LIST, choose, notices, page_of
from tests.support import stories
from tests.support.cast import CAROL, MONDAYS
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import sent, updated

CHINESE = "zh-hans"
DELIVERIES = "/admin/meetings/delivery/"
KEYS = "/admin/meetings/apikey/"
SENDERS = "/admin/meetings/sender/"
LABELS = {"title", "h1", "h2", "th", "label", "legend", "button", "option", "summary", "caption"}
LABEL_CLASSES = {
    "help", "helptext", "chip", "breadcrumbs", "explanation", "actions", "object-tools",
}  # fmt: skip
DATA_ELEMENTS = {"td", "script", "style"}
VOID = {"input", "img", "br", "meta", "link", "hr"}
# Django itself has no Chinese for these headings, which only a screen reader says.
NOT_OURS = {"Model name", "Add link", "Change or view list link"}
# The names of RFCs and products, and what has no other name in Chinese.
NAMES = re.compile(
    r"\b(?:Meeting Server|API|Message-ID|METHOD|REQUEST|CANCEL|SEQUENCE|DTSTAMP|PARTSTAT|ROLE|UID"
    r"|RRULE|EXDATE|RECURRENCE-ID|(?:REQ|OPT|NON)-PARTICIPANT|NEEDS-ACTION|ACCEPTED|DECLINED"
    r"|TENTATIVE|DELEGATED|ID)\b"
)
DATA = re.compile(
    r"\*?\S+@[\w.-]+>?|[A-Z]\w+/[A-Z]\w+|Weekly review|Monthly review|HR system|Carol|admin"
)
WORD = re.compile(r"[A-Za-z]{2,}")


class Labels(HTMLParser):
    """Collects the texts that name something on a page, and leaves out the data."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        # The elements around the text. The innermost that is a label (True) or data (False) counts.
        self._open: list[tuple[str, bool | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if given.get("type") in ("submit", "button"):
            self.texts.append(given.get("value", ""))
        self.texts += [given[name] for name in ("placeholder", "aria-label") if name in given]
        if tag not in VOID:
            self._open.append((tag, is_label(tag, set(given.get("class", "").split()))))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if next((label for _, label in reversed(self._open) if label is not None), False):
            self.texts.append(data.strip())


def is_label(tag: str, classes: set[str]) -> bool | None:
    """None if the element around it decides."""
    if tag in DATA_ELEMENTS:
        return False
    return True if tag in LABELS or classes & LABEL_CLASSES else None


def labels(html: str) -> list[str]:
    parser = Labels()
    parser.feed(html)
    return [text for text in parser.texts if text]


def english(text: str) -> list[str]:
    """The words of ``text`` that should be Chinese."""
    return WORD.findall(NAMES.sub("", DATA.sub("", text)))


def left_in_english(texts: list[str]) -> list[str]:
    return [text for text in texts if english(text) and text not in NOT_OURS]


@pytest.fixture
def chinese_operator(admin_client: Client) -> Client:
    """An operator whose browser prefers Chinese."""
    admin_client.defaults["HTTP_ACCEPT_LANGUAGE"] = CHINESE
    return admin_client


@pytest.fixture
def changed_series(db: None, mail_server: ScriptedSMTP) -> Meeting:
    """A series that Carol was not told, with an update and a cancelled occurrence, and a key."""
    mail_server.scripts["rcpt"] = {CAROL.address: "550 5.1.1 no such user"}
    ApiKey.objects.create_key(name="HR system", senders=["*@example.com"])
    meeting = updated(sent(rule=MONDAYS, reminder=15), summary="Monthly review")
    OccurrenceOverride.objects.create(
        meeting=meeting, recurrence_id=datetime(2032, 3, 8, 10), is_cancelled=True, sequence=1
    )
    return meeting


def shown(response: Any) -> list[str]:
    assert response.status_code == 200
    assert response.headers["Content-Language"] == CHINESE
    return labels(response.content.decode())


def test_reader_of_labels_finds_english() -> None:
    html = '<th>UID</th><th>Subject</th><td>Weekly <span class="chip sent">2 sent</span></td>'
    assert left_in_english(labels(html)) == ["Subject", "2 sent"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url",
    [
        "/admin/",
        LIST,
        f"{LIST}?mail=outstanding&q=review",
        "{meeting}",
        DELIVERIES,
        "{delivery}",
        "{mail}",
        SENDERS,
        KEYS,
        f"{KEYS}add/",
        "{key}",
    ],
)
def test_page_has_no_english_label(
    chinese_operator: Client, changed_series: Meeting, url: str
) -> None:
    delivery = changed_series.deliveries.latest("pk")
    url = url.format(
        meeting=page_of(changed_series),
        delivery=f"{DELIVERIES}{delivery.pk}/change/",
        mail=f"/admin/meetings/mail/{delivery.mail_id}/change/",
        key=f"{KEYS}{ApiKey.objects.get(name='HR system').pk}/change/",
    )
    texts = shown(chinese_operator.get(url))
    assert len(texts) > 10
    assert left_in_english(texts) == []


@pytest.mark.django_db
@pytest.mark.parametrize("action", ["cancel", "resend"])
def test_confirmation_has_no_english_label(
    chinese_operator: Client, changed_series: Meeting, action: str
) -> None:
    texts = shown(choose(chinese_operator, action, changed_series))
    assert "组织者" in texts
    assert left_in_english(texts) == []


@pytest.mark.django_db
def test_states_are_chips_in_chinese(chinese_operator: Client, changed_series: Meeting) -> None:
    texts = shown(chinese_operator.get(LIST))
    for chip in ("已确认", "1 未告知"):
        assert chip in texts
    assert "以 状态" in texts


@pytest.mark.django_db
def test_values_with_units_are_chinese(chinese_operator: Client, changed_series: Meeting) -> None:
    html = chinese_operator.get(page_of(changed_series)).content.decode()
    assert "15 分钟" in html
    assert "2032-03-08 10:00: 已取消" in html


@pytest.mark.django_db
def test_people_and_versions_are_in_chinese(
    chinese_operator: Client, changed_series: Meeting
) -> None:
    stories.cancel(changed_series.uid, occurrence=datetime(2032, 3, 15, 10), reason="放假")
    html = chinese_operator.get(page_of(changed_series)).content.decode()
    for shown in (
        "已告知</span>",
        "未告知</span>",
        "仅 2032-03-15 10:00 这一次",
        "补发未告知的内容",
    ):
        assert shown in html


@pytest.mark.django_db
def test_notice_and_banner_are_in_chinese(
    chinese_operator: Client, changed_series: Meeting
) -> None:
    choose(chinese_operator, "cancel", changed_series, reason=" ")
    assert notices(choose(chinese_operator, "cancel", changed_series, reason=" "))[-1] == (
        "Monthly review: 此前已取消；此前已告知所有人"
    )
    pause("olga", "搬机房")
    html = chinese_operator.get(LIST).content.decode()
    assert "操作者：olga: 搬机房" in html
    assert "运行 <code>manage.py resume</code> 后恢复发送。" in html


def texts_of_models() -> Iterator[tuple[str, object]]:
    """Each name, help text and choice of our models, with where it stands."""
    yield "meetings", apps.get_app_config("meetings").verbose_name
    for model in apps.get_app_config("meetings").get_models():
        name = model.__name__
        yield name, model._meta.verbose_name
        yield f"{name}, plural", model._meta.verbose_name_plural
        for field in model._meta.fields:
            if not field.primary_key:
                yield f"{name}.{field.name}", field.verbose_name
                yield f"{name}.{field.name}, help", field.help_text
                for value, label in field.choices or ():
                    yield f"{name}.{field.name}, {value}", label


def test_models_have_no_english_text() -> None:
    with override(CHINESE):
        found = {where: str(text) for where, text in texts_of_models()}
    assert len(found) > 100
    assert {where: text for where, text in found.items() if english(text)} == {}
