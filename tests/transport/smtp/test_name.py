import pytest
from django.core.mail.utils import DNS_NAME
from pytest_django import Settings

from meetings.transport.smtp.name import is_name, our_name


def test_name_is_the_machines_unless_it_is_set(settings: Settings) -> None:
    settings.MEETINGS_EHLO_NAME = ""
    assert our_name() == DNS_NAME.get_fqdn()
    settings.MEETINGS_EHLO_NAME = "mail.例子.example"
    assert our_name() == "mail.xn--fsqu00a.example"
    settings.MEETINGS_EHLO_NAME = "[192.0.2.1]"
    assert our_name() == "[192.0.2.1]"


def test_name_that_cannot_be_encoded_stays(settings: Settings) -> None:
    settings.MEETINGS_EHLO_NAME = "x" * 64 + ".example"
    assert our_name() == settings.MEETINGS_EHLO_NAME


@pytest.mark.parametrize(
    "name",
    [
        "mail.example.com",
        "mailhost",
        "a-1.例子.example",
        "[192.0.2.1]",
        "[IPv6:2001:db8::1]",
    ],
)
def test_host_name_or_address_literal_is_a_name(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "mail_1.example.com",
        "-mail.example.com",
        "mail-.example.com",
        "mail example",
        "mail..example",
        "mail.example.com\r\nMAIL",
        "mail@example.com",
        "x" * 64 + ".example",
        "a." * 126 + "example",
        "[mail.example.com]",
        "[2001:db8::1]",
        "[IPv6:192.0.2.1]",
        "[192.0.2.1",
        "[]",
    ],
)
def test_other_text_is_no_name(name: str) -> None:
    assert not is_name(name)
