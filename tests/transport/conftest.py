from collections.abc import Iterator
from email import policy
from email.message import EmailMessage

import pytest
import trustme

from meetings import trouble
from meetings.transport.smtp import pool
from tests.support.servers.smtp_server import smtp_server

__all__ = ["smtp_server"]


@pytest.fixture(autouse=True)
def fresh_wire() -> Iterator[None]:
    """No connection, nothing learned and no report of trouble of one test reaches the next."""
    trouble.forget()
    yield
    pool.close_kept_connections()
    pool._pools.clear()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


ICS = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nX-NOTE:会议室 \r\nEND:VCALENDAR\r\n"


@pytest.fixture
def invitation() -> bytes:
    """An invitation of Alice to Bob (To) and Carol (Cc), as the standard library builds it."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = "Alice Arnold <alice@example.com>"
    message["To"] = "Bob <bob@example.com>, Dave <dave@example.com>"
    message["Cc"] = '"Carol, C." <Carol@example.com>'
    message["Subject"] = "周会 weekly"
    message["Message-ID"] = "<1@example.com>"
    message["Date"] = "Sat, 30 Nov 2019 10:00:00 +0800"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("Weekly\n.dotted line\n", cte="quoted-printable")
    message.add_alternative("<p>周会</p>\n", subtype="html", cte="base64")
    message.add_alternative(ICS, subtype="calendar", params={"method": "REQUEST"}, cte="base64")
    return bytes(message)
