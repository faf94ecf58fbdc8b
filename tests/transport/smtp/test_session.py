import logging
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from django.core import mail
from pytest_django import Settings

from meetings.deadline import Deadline
from meetings.transport.outcome import Loss, Phase, SendStatus
from meetings.transport.smtp.backend import EmailBackend
from meetings.transport.smtp.session import Server
from tests.support.servers.smtp_server import DROP, HANG, ScriptedSMTP, server_context
from tests.support.waiting import wait_until
from tests.transport.smtp.wire import ALICE, BOB, PLENTY, SOON, deliver

LOGIN: dict[str, Any] = {"username": "alice", "password": "s3cret"}
either_tls = pytest.mark.parametrize("implicit", [False, True], ids=["STARTTLS", "implicit TLS"])


@pytest.fixture(autouse=True)
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@either_tls
def test_login_over_tls_is_kept_for_the_next_mail(authority: trustme.CA, implicit: bool) -> None:
    options: dict[str, Any] = {"use_ssl": implicit, "use_tls": not implicit, **LOGIN}
    with ScriptedSMTP(
        tls=server_context(authority), implicit_tls=implicit, credentials=("alice", "s3cret")
    ) as server:
        assert deliver(server, **options)[BOB].status is SendStatus.SENT
        assert deliver(server, **options)[BOB].status is SendStatus.SENT
        assert [transaction.tls for transaction in server.received] == [True, True]
        assert server.connections == 1


def test_client_certificate_leaves_verification_on(authority: trustme.CA, tmp_path: Path) -> None:
    client = authority.issue_cert("client.example").private_key_and_cert_chain_pem
    client.write_to_path(tmp_path / "client.pem")
    options: dict[str, Any] = {"use_tls": True, "ssl_certfile": str(tmp_path / "client.pem")}
    with ScriptedSMTP(tls=server_context(authority)) as server:
        assert deliver(server, **options)[BOB].status is SendStatus.SENT
    with ScriptedSMTP(tls=server_context(trustme.CA())) as server:
        assert deliver(server, **options)[BOB].status is SendStatus.REFUSED


@either_tls
@pytest.mark.parametrize("fault", ["unknown authority", "another name"])
def test_bad_certificate_gets_no_mail(authority: trustme.CA, fault: str, implicit: bool) -> None:
    issuer = trustme.CA() if fault == "unknown authority" else authority
    name = "other.example" if fault == "another name" else "127.0.0.1"
    with ScriptedSMTP(tls=server_context(issuer, name), implicit_tls=implicit) as server:
        outcome = deliver(server, use_tls=not implicit, use_ssl=implicit)[BOB]
        assert (outcome.status, outcome.phase) == (SendStatus.REFUSED, Phase.SESSION)
        assert "certificate" in outcome.reply
        assert "MAIL" not in server.verbs()


def test_deadline_ends_a_silent_tls_handshake() -> None:
    with ScriptedSMTP(banner=HANG) as server:
        assert deliver(server, use_ssl=True, deadline=SOON)[BOB].status is SendStatus.DEFERRED


def test_loss_in_the_tls_handshake_is_deferred() -> None:
    with ScriptedSMTP(banner=DROP) as server:
        outcome = deliver(server, use_ssl=True)[BOB]
    assert (outcome.status, outcome.loss) == (SendStatus.DEFERRED, Loss.BROKEN)


def test_plain_server_gets_no_mail_if_tls_is_set(smtp_server: ScriptedSMTP) -> None:
    assert deliver(smtp_server, use_ssl=True)[BOB].status is SendStatus.REFUSED
    assert "MAIL" not in smtp_server.verbs()


def test_certificate_file_that_is_missing_is_named(authority: trustme.CA) -> None:
    with ScriptedSMTP(tls=server_context(authority)) as server:
        outcome = deliver(server, use_tls=True, ssl_certfile="/nowhere.pem")[BOB]
    assert outcome.status is SendStatus.REFUSED
    assert "EMAIL_SSL_CERTFILE" in outcome.reply


@pytest.mark.parametrize("use_ssl", [False, True], ids=["plain", "TLS"])
def test_final_dot_needs_no_acknowledgement_before(authority: trustme.CA, use_ssl: bool) -> None:
    tls = server_context(authority) if use_ssl else None
    with ScriptedSMTP(tls=tls, implicit_tls=use_ssl) as server:
        goal = Server(server.host, server.port, our_name="us.example.com", use_ssl=use_ssl)
        smtp = goal.client(Deadline(PLENTY))
        goal.open(smtp)
        assert smtp.sock is not None
        assert smtp.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        smtp.close()


def test_quit_is_said_after_the_deadline_too(smtp_server: ScriptedSMTP) -> None:
    goal = Server(smtp_server.host, smtp_server.port, our_name="us.example.com")
    smtp = goal.client(Deadline(PLENTY))
    goal.open(smtp)
    smtp.deadline = Deadline(0)
    smtp.hang_up()
    wait_until(lambda: "QUIT" in smtp_server.verbs(), "QUIT")


def test_hello_follows_only_if_ehlo_is_unknown(settings: Settings) -> None:
    settings.MEETINGS_EHLO_NAME = "münchen.example.com"
    with ScriptedSMTP(ehlo="502 5.5.1 what?") as server:
        assert deliver(server)[BOB].status is SendStatus.SENT
        names = [line for _, line in server.commands[:2]]
    assert names == ["ehlo xn--mnchen-3ya.example.com", "helo xn--mnchen-3ya.example.com"]


def test_closing_at_login_is_no_wrong_password() -> None:
    with ScriptedSMTP(credentials=("alice", "s3cret"), auth="421 4.7.0 too many") as server:
        outcome = deliver(server, **LOGIN)[BOB]
    assert (outcome.status, outcome.is_server_busy) == (SendStatus.DEFERRED, True)
    assert outcome.reply == "421 4.7.0 too many"


def ordinary_mail(server: ScriptedSMTP, **options: Any) -> int:
    backend = EmailBackend(host=server.host, port=server.port, **options)
    return mail.EmailMessage("hello", "body", ALICE, [BOB], connection=backend).send()


def test_ordinary_mail_of_django_is_sent(smtp_server: ScriptedSMTP) -> None:
    assert ordinary_mail(smtp_server) == 1
    assert smtp_server.received[0].recipients == (BOB,)


def test_ordinary_mail_of_django_has_verified_tls(authority: trustme.CA) -> None:
    with ScriptedSMTP(tls=server_context(authority)) as server:
        assert ordinary_mail(server, use_tls=True) == 1
        assert server.received[0].tls
    with (
        ScriptedSMTP(tls=server_context(trustme.CA())) as server,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ordinary_mail(server, use_tls=True)


MISSING: dict[str, tuple[dict[str, Any], dict[str, Any], SendStatus, str]] = {
    "no STARTTLS": ({}, {"use_tls": True}, SendStatus.REFUSED, "STARTTLS"),
    "no AUTH": ({}, LOGIN, SendStatus.REFUSED, "AUTH"),
    "AUTH 535": ({"credentials": ("alice", "x")}, LOGIN, SendStatus.REFUSED, "535 5.7.8"),
    "AUTH 454": (
        {"credentials": ("a", "x"), "auth": "454 4.7.0 later"},
        LOGIN,
        SendStatus.DEFERRED,
        "454",
    ),
    "no login in common": (
        {"extensions": ("AUTH GSSAPI",)},
        LOGIN,
        SendStatus.REFUSED,
        "No suitable",
    ),
    "STARTTLS 454": (
        {"extensions": ("STARTTLS",), "starttls": "454 later"},
        {"use_tls": True},
        SendStatus.DEFERRED,
        "454 later",
    ),
    "STARTTLS 501": (
        {"extensions": ("STARTTLS",), "starttls": "501 no"},
        {"use_tls": True},
        SendStatus.REFUSED,
        "501 no",
    ),
}


@pytest.mark.parametrize(("script", "options", "status", "words"), MISSING.values(), ids=MISSING)
def test_tls_and_login_are_never_left_out(
    script: dict[str, Any], options: dict[str, Any], status: SendStatus, words: str
) -> None:
    with ScriptedSMTP(**script) as server:
        outcome = deliver(server, **options)[BOB]
        assert (outcome.status, outcome.phase) == (status, Phase.SESSION)
        # Only a 4yz is about the server at this moment, and may pause it.
        assert outcome.is_server_busy is (status is SendStatus.DEFERRED)
        assert outcome.loss is None
        assert words in outcome.reply
        assert "MAIL" not in server.verbs()


@pytest.mark.parametrize(
    ("auth", "level"), [("535 5.7.8 wrong", logging.ERROR), ("454 4.7.0 later", logging.WARNING)]
)
def test_trouble_with_a_session_is_logged_once(
    auth: str, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    with ScriptedSMTP(credentials=("alice", "x"), auth=auth) as server:
        for _ in range(3):
            deliver(server, **LOGIN)
    [record] = caplog.records
    assert record.levelno == level
    assert record.getMessage() == f"mail server 127.0.0.1:{server.port}: login: {auth}"


def test_login_is_in_no_reply_and_no_log_line(caplog: pytest.LogCaptureFixture) -> None:
    echo = "535 5.7.8 refused s3cret AGFsaWNlAHMzY3JldA=="
    with ScriptedSMTP(credentials=("alice", "x"), auth=echo) as server:
        outcome = deliver(server, **LOGIN)[BOB]
    for text in (outcome.reply, caplog.text):
        assert "535 5.7.8 refused" in text
        assert "s3cret" not in text
        assert "AGFsaWNlAHMzY3JldA==" not in text


def test_login_name_is_in_no_reply_and_no_log_line(caplog: pytest.LogCaptureFixture) -> None:
    login = {"username": "alice@example.com", "password": "alice@example.com-s3cret"}
    echo = "535 5.7.8 Alice@Example.com (YWxpY2VAZXhhbXBsZS5jb20=) with alice@example.com-s3cret"
    with ScriptedSMTP(credentials=("alice", "x"), auth=echo) as server:
        outcome = deliver(server, **login)[BOB]
    assert outcome.reply == "535 5.7.8 *** (***) with ***"
    assert caplog.messages == [
        f"mail server 127.0.0.1:{server.port}: login: 535 5.7.8 *** (***) with ***"
    ]


def test_login_name_that_is_a_short_word_hides_no_other() -> None:
    with ScriptedSMTP(credentials=("in", "x"), auth="535 5.7.8 invalid login of in") as server:
        outcome = deliver(server, username="in", password="s3cret")[BOB]
    assert outcome.reply == "535 5.7.8 invalid login of ***"


NAMES_CAROL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "greeting": ({"banner": "421 4.7.0 too many logins of carol@example.net"}, {}),
    "EHLO": ({"ehlo": "421 4.7.0 too many logins of carol@example.net"}, {}),
    "STARTTLS": (
        {"extensions": ("STARTTLS",), "starttls": "454 4.7.0 not for <carol@example.net>"},
        {"use_tls": True},
    ),
    "login": ({"credentials": ("a", "x"), "auth": "535 5.7.8 carol@example.net who?"}, LOGIN),
}


@pytest.mark.parametrize(("script", "options"), NAMES_CAROL.values(), ids=NAMES_CAROL)
def test_address_in_a_reply_is_in_no_log_line(
    script: dict[str, Any], options: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with ScriptedSMTP(**script) as server:
        outcome = deliver(server, **options)[BOB]
    assert "carol@example.net" in outcome.reply
    [line] = caplog.messages
    assert "***" in line
    assert "carol" not in line
    assert "example.net" not in line


def test_password_that_is_not_ascii_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with ScriptedSMTP(credentials=("alice", "x")) as server:
        outcome = deliver(server, username="alice", password="geheim密")[BOB]
    assert outcome.status is SendStatus.REFUSED
    assert "a value cannot be encoded" in outcome.reply
    assert "geheim" not in caplog.text
