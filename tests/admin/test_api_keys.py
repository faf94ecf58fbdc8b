"""API keys: an operator makes, edits and revokes them."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from meetings.models import ApiKey
from tests.admin.pages import page
from tests.conftest import Call
from tests.support.servers.smtp_server import ScriptedSMTP

pytestmark = pytest.mark.django_db
KEYS = "/admin/meetings/apikey/"


def make(client: Client, **given: str) -> str:
    """Submit the form of a new key. Return the page that follows."""
    fields = {"name": "HR", "senders": "*@example.com", "expiry_date_0": "", "expiry_date_1": ""}
    response = client.post(f"{KEYS}add/", fields | given, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def test_new_key_is_shown_once_and_works(
    admin_client: Client, call: Call, meeting: dict[str, object], mail_server: ScriptedSMTP
) -> None:
    html = make(admin_client, name="Booking <system>")
    shown = re.search(r'<code class="key">([^<]+)</code>', html)
    assert shown is not None
    assert "Booking &lt;system&gt;" in html
    assert shown[1] not in page(admin_client, KEYS)
    assert call(meeting, key=shown[1]).status_code == 200
    html = page(admin_client, KEYS)
    assert '<td class="field-client nowrap">Booking &lt;system&gt;</td>' in html
    assert '<td class="field-meetings">1</td>' in html


def test_senders_are_one_pattern_per_line(admin_client: Client) -> None:
    make(admin_client, senders="*@example.com\r\n\r\n  hr@例子.example \r\n")
    key = ApiKey.objects.get()
    assert key.senders == ["*@example.com", "hr@xn--fsqu00a.example"]
    assert key.may_speak_for("HR@xn--fsqu00a.EXAMPLE")
    assert "*@example.com\nhr@xn--fsqu00a.example</textarea>" in page(
        admin_client, f"{KEYS}{key.pk}/change/"
    )


@pytest.mark.parametrize(
    "senders", ["", "example.com", "*", "a@b@c", "[a-z]@example.com", "a b@example.com", "@x.org"]
)
def test_invalid_sender_pattern_is_refused(admin_client: Client, senders: str) -> None:
    assert "errorlist" in make(admin_client, senders=senders)
    assert not ApiKey.objects.exists()


def test_edited_key_keeps_its_secret(admin_client: Client) -> None:
    key, secret = ApiKey.objects.create_key(name="HR", senders=["*@example.com"])
    given = {"name": "HR 2", "senders": "hr@example.com", "expiry_date_0": "", "expiry_date_1": ""}
    response = admin_client.post(f"{KEYS}{key.pk}/change/", given, follow=True)
    assert 'class="key"' not in response.content.decode()
    edited = ApiKey.objects.get(pk=key.pk)
    assert isinstance(edited, ApiKey)
    assert (edited.name, edited.senders) == ("HR 2", ["hr@example.com"])
    assert ApiKey.objects.is_valid(secret)


def test_revoked_key_cannot_be_edited(admin_client: Client) -> None:
    key, secret = ApiKey.objects.create_key(name="HR", senders=["*@example.com"])
    given = {
        "name": "HR",
        "senders": "*@example.com",
        "expiry_date_0": "",
        "expiry_date_1": "",
        "revoked": "on",
    }
    admin_client.post(f"{KEYS}{key.pk}/change/", given)
    assert not ApiKey.objects.is_valid(secret)
    html = page(admin_client, f"{KEYS}{key.pk}/change/")
    assert 'name="revoked"' not in html
    assert 'name="senders"' not in html


def test_only_key_of_client_without_meetings_can_be_deleted(
    admin_client: Client, call: Call, meeting: dict[str, object], mail_server: ScriptedSMTP
) -> None:
    unused, _ = ApiKey.objects.create_key(name="Unused", senders=["*@example.com"])
    used, secret = ApiKey.objects.create_key(name="HR", senders=["*@example.com"])
    assert call(meeting, key=secret).status_code == 200
    for key in (unused, used):
        admin_client.post(f"{KEYS}{key.pk}/delete/", {"post": "yes"})
    assert not ApiKey.objects.filter(pk=unused.pk).exists()
    assert ApiKey.objects.filter(pk=used.pk).exists()


def test_expired_key_is_marked_in_the_list(admin_client: Client) -> None:
    ApiKey.objects.create_key(
        name="Old", senders=[], expiry_date=timezone.now() - timedelta(days=1)
    )
    assert 'field-has_expired"><img src="/static/admin/img/icon-yes.svg"' in page(
        admin_client, KEYS
    )


def test_keys_of_the_library_are_not_listed(admin_client: Client) -> None:
    assert "rest_framework_api_key" not in page(admin_client, "/admin/")
