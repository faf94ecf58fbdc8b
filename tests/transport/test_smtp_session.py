import logging
import os
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
import trustme
from django.core import mail

from meetings.transport.outcome import Outcome, SendStatus
from meetings.transport.smtp.backend import EmailBackend, close_kept_connections
from tests.support.smtp_server import DROP, HANG, ScriptedSMTP, server_context
from tests.transport.wire import ALICE, BOB, PLENTY, RAW, SOON, deliver


class TestKeptConnection:
    def test_it_is_used_again_by_another_backend_object(self, smtp_server: ScriptedSMTP) -> None:
        deliver(smtp_server)
        deliver(smtp_server)
        assert [transaction.connection for transaction in smtp_server.received] == [1, 1]
        assert "NOOP" not in smtp_server.verbs()

    def test_one_that_the_server_closed_while_idle_is_replaced_before_mail(
        self, smtp_server: ScriptedSMTP
    ) -> None:
        deliver(smtp_server)
        smtp_server.drop_connections()
        assert deliver(smtp_server)[BOB].status is SendStatus.SENT
        assert deliver(smtp_server)[BOB].status is SendStatus.SENT
        assert [transaction.connection for transaction in smtp_server.received] == [1, 2, 2]

    def test_one_that_says_421_to_mail_is_replaced(self) -> None:
        with ScriptedSMTP(mail=["250 ok", "421 4.4.2 idle for too long", "250 ok"]) as server:
            deliver(server)
            assert deliver(server)[BOB].status is SendStatus.SENT
            assert server.connections == 2

    def test_a_new_one_that_says_421_to_mail_is_not_tried_again(self) -> None:
        with ScriptedSMTP(mail="421 4.3.2 busy") as server:
            assert deliver(server)[BOB] == Outcome(SendStatus.DEFERRED, "421 4.3.2 busy")
            assert server.connections == 1

    @pytest.mark.parametrize(
        ("noop", "connections"), [("250 alive", 1), ("421 bye", 2), (DROP, 2), (HANG, 2)]
    )
    def test_after_some_idle_time_it_is_probed(self, noop: Any, connections: int) -> None:
        class Impatient(EmailBackend):
            probe_after = 0.0

        with ScriptedSMTP(noop=noop) as server:
            backend = Impatient(host=server.host, port=server.port)
            for _ in range(2):
                assert (
                    backend.deliver(ALICE, [BOB], RAW, deadline=4 * SOON)[BOB].status
                    is SendStatus.SENT
                )
            assert "NOOP" in server.verbs()
            assert server.connections == connections

    def test_it_is_given_up_after_a_number_of_mails_or_a_long_time(
        self, smtp_server: ScriptedSMTP
    ) -> None:
        class Frugal(EmailBackend):
            transaction_limit = 2

        class Forgetful(EmailBackend):
            idle_limit = 0.0

        for backend in [Frugal, Frugal, Frugal, Forgetful]:
            backend(host=smtp_server.host, port=smtp_server.port).deliver(
                ALICE, [BOB], RAW, deadline=PLENTY
            )
        assert [transaction.connection for transaction in smtp_server.received] == [1, 1, 2, 3]

    @pytest.mark.parametrize("script", [{"dot": "554 no"}, {"data": "451 no"}, {"mail": "550 no"}])
    def test_it_is_dropped_after_an_error(self, script: dict[str, Any]) -> None:
        with ScriptedSMTP(**script) as server:
            deliver(server)
            deliver(server)
            assert server.connections == 2

    def test_each_thread_has_its_own(self, smtp_server: ScriptedSMTP) -> None:
        backend = EmailBackend(host=smtp_server.host, port=smtp_server.port)
        together = threading.Barrier(4)
        results: list[SendStatus] = []

        def work() -> None:
            together.wait()
            for _ in range(5):
                results.append(backend.deliver(ALICE, [BOB], RAW, deadline=PLENTY)[BOB].status)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [SendStatus.SENT] * 20
        assert smtp_server.connections == 4

    def test_a_child_process_leaves_it_to_its_parent(self, smtp_server: ScriptedSMTP) -> None:
        deliver(smtp_server)
        child = os.fork()
        if not child:
            close_kept_connections()
            os._exit(0)
        os.waitpid(child, 0)
        assert deliver(smtp_server)[BOB].status is SendStatus.SENT
        assert smtp_server.connections == 1

    def test_settings_that_differ_share_nothing(self, smtp_server: ScriptedSMTP) -> None:
        smtp_server.credentials = ("alice", "secret")
        deliver(smtp_server)
        deliver(smtp_server, username="alice", password="secret")
        assert smtp_server.connections == 2

    def test_closing_says_quit(self, smtp_server: ScriptedSMTP) -> None:
        deliver(smtp_server)
        close_kept_connections()
        assert deliver(smtp_server)[BOB].status is SendStatus.SENT
        assert smtp_server.verbs().count("QUIT") == 1
        assert smtp_server.connections == 2


class TestTLSAndLogin:
    @pytest.fixture(autouse=True)
    def trusted(
        self, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    @pytest.mark.parametrize("implicit", [False, True], ids=["STARTTLS", "TLS from the start"])
    def test_with_a_login(self, authority: trustme.CA, implicit: bool) -> None:
        context = server_context(authority)
        with ScriptedSMTP(
            tls=context, implicit_tls=implicit, credentials=("alice", "s3cret")
        ) as server:
            options: dict[str, Any] = {
                "use_ssl": implicit,
                "use_tls": not implicit,
                "username": "alice",
                "password": "s3cret",
            }
            assert deliver(server, **options)[BOB].status is SendStatus.SENT
            assert deliver(server, **options)[BOB].status is SendStatus.SENT
            assert server.received[1].tls
            assert server.connections == 1

    def test_a_client_certificate_leaves_verification_on(
        self, authority: trustme.CA, tmp_path: Path
    ) -> None:
        authority.issue_cert("client.example").private_key_and_cert_chain_pem.write_to_path(
            tmp_path / "client.pem"
        )
        files: dict[str, Any] = {"ssl_certfile": str(tmp_path / "client.pem")}
        with ScriptedSMTP(tls=server_context(authority)) as server:
            assert deliver(server, use_tls=True, **files)[BOB].status is SendStatus.SENT
        with ScriptedSMTP(tls=server_context(trustme.CA())) as server:
            assert deliver(server, use_tls=True, **files)[BOB].status is SendStatus.REFUSED

    @pytest.mark.parametrize("implicit", [False, True], ids=["STARTTLS", "TLS from the start"])
    @pytest.mark.parametrize(
        "names", [("127.0.0.1",), ("other.example",)], ids=["unknown authority", "another name"]
    )
    def test_a_bad_certificate(
        self, authority: trustme.CA, names: tuple[str], implicit: bool
    ) -> None:
        issuer = authority if names == ("other.example",) else trustme.CA()
        with ScriptedSMTP(tls=server_context(issuer, *names), implicit_tls=implicit) as server:
            outcome = deliver(server, use_tls=not implicit, use_ssl=implicit)[BOB]
            assert outcome.status is SendStatus.REFUSED
            assert "certificate" in outcome.reply
            assert "MAIL" not in server.verbs()

    def test_silence_in_the_handshake(self) -> None:
        with ScriptedSMTP(banner=HANG) as server:
            assert deliver(server, use_ssl=True, deadline=SOON)[BOB].status is SendStatus.DEFERRED

    def test_a_drop_in_the_handshake(self) -> None:
        with ScriptedSMTP(banner=DROP) as server:
            assert deliver(server, use_ssl=True)[BOB].status is SendStatus.DEFERRED

    def test_ordinary_mail_of_django_has_verified_tls_too(self, authority: trustme.CA) -> None:
        with ScriptedSMTP(tls=server_context(authority)) as server:
            backend = EmailBackend(host=server.host, port=server.port, use_tls=True)
            assert mail.EmailMessage("hello", "body", ALICE, [BOB], connection=backend).send() == 1
            assert server.received[0].tls
        with ScriptedSMTP(tls=server_context(trustme.CA())) as server:
            backend = EmailBackend(host=server.host, port=server.port, use_tls=True)
            with pytest.raises(ssl.SSLCertVerificationError):
                mail.EmailMessage("hello", "body", ALICE, [BOB], connection=backend).send()

    def test_a_plain_server_where_tls_was_asked_for(self, smtp_server: ScriptedSMTP) -> None:
        assert deliver(smtp_server, use_ssl=True)[BOB].status is SendStatus.REFUSED
        assert "MAIL" not in smtp_server.verbs()

    def test_a_certificate_file_that_is_not_there(self, authority: trustme.CA) -> None:
        with ScriptedSMTP(tls=server_context(authority)) as server:
            outcome = deliver(server, use_tls=True, ssl_certfile="/nowhere.pem")[BOB]
        assert outcome.status is SendStatus.REFUSED
        assert "EMAIL_SSL_CERTFILE" in outcome.reply


LOGIN: dict[str, Any] = {"username": "alice", "password": "s3cret"}
MISSING = [
    pytest.param({}, {"use_tls": True}, SendStatus.REFUSED, "STARTTLS", id="no STARTTLS"),
    pytest.param({}, LOGIN, SendStatus.REFUSED, "AUTH", id="no AUTH"),
    pytest.param(
        {"credentials": ("alice", "x")}, LOGIN, SendStatus.REFUSED, "535 5.7.8", id="AUTH 535"
    ),
    pytest.param(
        {"credentials": ("a", "x"), "auth": "454 4.7.0 later"},
        LOGIN,
        SendStatus.DEFERRED,
        "454",
        id="AUTH 454",
    ),
    pytest.param(
        {"extensions": ("AUTH GSSAPI",)},
        LOGIN,
        SendStatus.REFUSED,
        "No suitable",
        id="no login in common",
    ),
    pytest.param(
        {"extensions": ("STARTTLS",), "starttls": "454 later"},
        {"use_tls": True},
        SendStatus.DEFERRED,
        "454 later",
        id="STARTTLS 454",
    ),
    pytest.param(
        {"extensions": ("STARTTLS",), "starttls": "501 no"},
        {"use_tls": True},
        SendStatus.REFUSED,
        "501 no",
        id="STARTTLS 501",
    ),
]


@pytest.mark.parametrize(("script", "options", "status", "words"), MISSING)
def test_what_was_asked_for_is_never_left_out(
    script: dict[str, Any],
    options: dict[str, Any],
    status: SendStatus,
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ScriptedSMTP(**script) as server, caplog.at_level(logging.WARNING, "meetings.imip"):
        outcomes = [deliver(server, **options)[BOB] for _ in range(3)]
        assert {outcome.status for outcome in outcomes} == {status}
        assert words in outcomes[0].reply
        assert "MAIL" not in server.verbs()
    [record] = caplog.records
    assert record.levelno == (logging.ERROR if status is SendStatus.REFUSED else logging.WARNING)
    assert words in record.getMessage()


def test_the_login_is_in_no_reply_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    echo = "535 5.7.8 refused s3cret AGFsaWNlAHMzY3JldA=="
    with ScriptedSMTP(credentials=("alice", "x"), auth=echo) as server:
        outcome = deliver(server, **LOGIN)[BOB]
    for text in (outcome.reply, caplog.text):
        assert "535 5.7.8 refused" in text
        assert "s3cret" not in text
        assert "AGFsaWNlAHMzY3JldA==" not in text


def test_a_password_that_cannot_be_said_is_a_mistake_in_the_settings(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ScriptedSMTP(credentials=("alice", "x")) as server:
        assert (
            deliver(server, username="alice", password="geheim密")[BOB].status is SendStatus.REFUSED
        )
    assert "geheim" not in caplog.text
