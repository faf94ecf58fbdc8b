"""The page and the file of one mail, and the list of deliveries."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from meetings.models import Mail, MailBytes, Sender
from tests.admin.pages import page
from tests.support.cast import CAROL
from tests.support.readers.mail import read
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import sent

pytestmark = pytest.mark.django_db
DELIVERIES = "/admin/meetings/delivery/"


def file_of(mail: Mail) -> str:
    """The path of a mail's file."""
    return reverse("admin:meetings_mail_eml", args=[mail.pk])


def test_file_has_the_bytes_of_the_mail(viewer: Client, mail_server: ScriptedSMTP) -> None:
    sent(uid='a/b "c"')
    response = viewer.get(file_of(Mail.objects.get()))
    assert response.content == mail_server.accepted[0].raw
    assert response["Content-Type"] == "message/rfc822"
    assert response["Content-Disposition"] == 'attachment; filename="ab_c-0-REQUEST.eml"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert read(response.content).method == "REQUEST"


def test_file_needs_the_permission_to_view_mail(viewer: Client, mail_server: ScriptedSMTP) -> None:
    sent()
    url = file_of(Mail.objects.get())
    victor = User.objects.get(username="victor")
    victor.user_permissions.remove(*victor.user_permissions.filter(codename="view_mail"))
    assert viewer.get(url).status_code == 403
    assert Client().get(url).status_code == 302


def test_mail_without_bytes_is_no_longer_kept(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    sent()
    MailBytes.objects.all().delete()
    mail = Mail.objects.get()
    assert admin_client.get(file_of(mail)).status_code == 404
    assert "no longer kept" in page(admin_client, f"/admin/meetings/mail/{mail.pk}/change/")


def test_mail_page_shows_text_calendar_and_source(
    viewer: Client, mail_server: ScriptedSMTP
) -> None:
    sent(summary="周会 <script>", description="带上数字。")
    mail = Mail.objects.get()
    html = page(viewer, f"/admin/meetings/mail/{mail.pk}/change/")
    for shown in [
        "带上数字。",
        "BEGIN:VEVENT",
        "METHOD:REQUEST",
        "MIME-Version: 1.0",
        mail.message_id.strip("<>"),
    ]:
        assert shown in html
    assert "<script>\n" not in html
    assert "周会 &lt;script&gt;" in html


def test_index_lists_deliveries_but_no_mails(admin_client: Client) -> None:
    index = page(admin_client, "/admin/")
    assert DELIVERIES in index
    assert "/admin/meetings/mail/" not in index


def test_deliveries_are_found_by_state_and_address(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = {CAROL.address: "550 5.1.1 no such user"}
    sent()
    html = page(admin_client, f"{DELIVERIES}?state__exact=refused")
    assert CAROL.address in html
    assert "no such user" in html
    assert "bob@example.org" not in html
    assert "bob@example.org" in page(admin_client, f"{DELIVERIES}?q=bob")


def test_delivery_list_needs_eight_queries(
    admin_client: Client, mail_server: ScriptedSMTP, django_assert_num_queries: Any
) -> None:
    for number in range(3):
        sent(uid=str(number))
    # Session, operator, count, first and last day, days, deliveries with meetings and mails,
    # pause.
    with django_assert_num_queries(8) as queries:
        page(admin_client, DELIVERIES)
    assert "mailbytes" not in str(queries.captured_queries)


def test_delivery_page_links_to_meeting_and_mail(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    stored = sent()
    delivery = stored.deliveries.first()
    assert delivery is not None
    html = page(admin_client, f"{DELIVERIES}{delivery.pk}/change/")
    assert f"/admin/meetings/meeting/{stored.pk}/change/" in html
    assert f"/admin/meetings/mail/{delivery.mail_id}/change/" in html


def test_delivery_whose_sending_process_is_gone_is_shown(
    admin_client: Client, mail_server: ScriptedSMTP
) -> None:
    delivery = sent().deliveries.latest("pk")
    url = f"{DELIVERIES}{delivery.pk}/change/"
    assert str(delivery.sender) in page(admin_client, url)
    Sender.objects.all().delete()
    assert "Sending process" in page(admin_client, url)


def test_deliveries_have_no_action(admin_client: Client, mail_server: ScriptedSMTP) -> None:
    sent()
    assert 'name="action"' not in page(admin_client, DELIVERIES)
