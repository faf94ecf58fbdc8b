"""The processes that send mail, and the banner that says that none of them may."""

import pytest
from django.db.models.functions import Now
from django.test import Client

from meetings.models import Sender
from meetings.operations.pause import pause, resume
from tests.admin.pages import LIST, choose, notices, page, page_of
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import sent

pytestmark = pytest.mark.django_db
SENDERS = "/admin/meetings/sender/"
DELIVERIES = "/admin/meetings/delivery/"


def test_living_and_dead_processes_are_told_apart(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    sent()
    assert '<span class="chip alive">alive</span>' in page(admin_client, SENDERS)
    Sender.objects.update(alive_until=Now(), host="mail-2.example.com")
    html = page(admin_client, SENDERS)
    assert '<span class="chip dead">dead</span>' in html
    assert "mail-2.example.com" in html
    assert "chip alive" not in html


def test_processes_cannot_be_changed(admin_client: Client, mail_server: ScriptedSMTP) -> None:
    sent()
    sender = Sender.objects.get()
    for path in ("add/", f"{sender.pk}/delete/"):
        assert admin_client.get(SENDERS + path).status_code == 403
    assert admin_client.post(f"{SENDERS}{sender.pk}/change/", {"kind": "x"}).status_code == 403


def test_pause_is_shown_on_every_page(admin_client: Client, mail_server: ScriptedSMTP) -> None:
    stored = sent()
    own = (f"{page_of(stored)[:-7]}{name}/" for name in ("change", "cancel", "history"))
    pages = ("/admin/", "/admin/meetings/", LIST, *own, DELIVERIES, SENDERS)
    assert not any('class="pause"' in page(admin_client, url) for url in pages)
    pause("olga", "The relay <moves>.")
    for url in pages:
        html = page(admin_client, url)
        assert "Mail is paused since 20" in html
        assert "by olga: The relay &lt;moves&gt;." in html
        assert "<code>manage.py resume</code>" in html
    resume()
    assert not any('class="pause"' in page(admin_client, url) for url in pages)


def test_every_page_names_the_zone_of_its_times(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    stored = sent()
    own = (f"{page_of(stored)[:-7]}{name}/" for name in ("change", "cancel", "history"))
    for url in ("/admin/", LIST, *own, DELIVERIES, SENDERS):
        assert "Times that name no zone are in Asia/Shanghai." in page(admin_client, url)


def test_cancel_while_paused_is_pending(admin_client: Client, mail_server: ScriptedSMTP) -> None:
    stored = sent()
    pause("olga")
    assert notices(choose(admin_client, "cancel", stored, reason=" ")) == [
        "Weekly review: cancelled; 2 pending"
    ]
    assert len(mail_server.accepted) == 1
