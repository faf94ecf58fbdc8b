import email.policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.imip.parts import Parts, read_parts
from meetings.imip.wording.body import bodies
from meetings.itip.ical.writer import to_ical
from tests.imip.reading import mail
from tests.support.cast import request

NOTHING = Parts(text="", html="", calendar="")


@pytest.mark.parametrize("attach_calendar", [False, True])
def test_composed_mail_is_read_back_as_it_was_made(attach_calendar: bool) -> None:
    message = request(summary="周会", description="one\ntwo")
    said = bodies(message, language="en")
    assert read_parts(mail(message, attach_calendar=attach_calendar).raw) == Parts(
        text=said.text, html=said.html, calendar=to_ical(message).decode().replace("\r\n", "\n")
    )


def test_charset_of_the_part_decodes_it() -> None:
    message = EmailMessage(policy=email.policy.SMTP)
    message.set_content("周会", charset="gb18030")
    assert read_parts(bytes(message)).text == "周会\n"


ATTACHMENT_FIRST = b"""\
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/plain
Content-Disposition: attachment; filename=notes.txt

a file
--x
Content-Type: text/plain

the text
--x--
"""


def test_attachment_is_not_the_text() -> None:
    assert read_parts(ATTACHMENT_FIRST).text == "the text"


@pytest.mark.parametrize("charset", ["no-such-charset", "base64", "idna", "undefined", "\x00"])
def test_unusable_charset_is_read_as_utf8(charset: str) -> None:
    raw = f'Content-Type: text/plain; charset="{charset}"\r\n\r\n'.encode() + "周会\xff".encode()
    assert read_parts(raw).text.startswith("周会")


def test_octets_that_are_no_text_are_replaced() -> None:
    assert read_parts(b"Subject: x\r\n\r\nab\xffc").text == "ab\N{REPLACEMENT CHARACTER}c"


def test_empty_mail_has_no_parts() -> None:
    assert read_parts(b"") == NOTHING


@settings(deadline=None)
@given(
    lines=st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [
                    b"Content-Type: multipart/alternative; boundary=x",
                    b"Content-Type: text/calendar; charset",
                    b"Content-Type: text/plain; charset*=utf-8''%ff",
                    b"Content-Transfer-Encoding: base64",
                    b"Content-Transfer-Encoding: x-uuencode",
                    b"Content-Disposition: ",
                    b"--x",
                    b"--x--",
                    b"",
                ]
            ),
        ),
        max_size=20,
    )
)
def test_no_bytes_make_the_reader_raise(lines: list[bytes]) -> None:
    assert isinstance(read_parts(b"\r\n".join(lines)), Parts)
