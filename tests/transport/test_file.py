import os
import threading
from pathlib import Path

import pytest
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from meetings.transport.file import EmailBackend
from meetings.transport.third_party.frozen import FrozenEmail

BOB = "bob@example.com"


@pytest.fixture
def mail_folder(tmp_path: Path, settings: Settings) -> Path:
    settings.EMAIL_BACKEND = "meetings.transport.file.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "var" / "mail")
    return tmp_path / "var" / "mail"


def test_mail_is_one_file_of_its_exact_bytes(mail_folder: Path, invitation: bytes) -> None:
    assert mail.get_connection().send_messages([FrozenEmail(invitation, recipients=[BOB])]) == 1
    [file] = mail_folder.iterdir()
    assert file.read_bytes() == invitation
    assert file.suffix == ".eml"


def test_ordinary_mail_of_django_has_crlf_too(mail_folder: Path) -> None:
    mail.send_mail("hello", "one\ntwo\n", "alice@example.com", [BOB])
    [file] = mail_folder.iterdir()
    raw = file.read_bytes()
    assert raw.endswith(b"one\r\ntwo\r\n")
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_file_names_sort_by_time_and_tell_no_subject(mail_folder: Path) -> None:
    for number in range(20):
        mail.send_mail(f"secret-{number:02}", "", "alice@example.com", [BOB])
    files = sorted(mail_folder.iterdir())
    assert len(files) == 20
    assert all(f"secret-{number:02}" in file.read_text() for number, file in enumerate(files))
    assert not any("secret" in file.name for file in files)


def test_threads_and_processes_write_at_once(mail_folder: Path, invitation: bytes) -> None:
    def write() -> None:
        for _ in range(20):
            EmailBackend().send_messages([FrozenEmail(invitation, recipients=[BOB])])

    children = [pid for _ in range(2) if (pid := _forked(write))]
    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        # Whatever a reader sees under a final name is whole.
        assert {file.stat().st_size for file in mail_folder.glob("*.eml")} <= {len(invitation)}
    for thread in threads:
        thread.join()
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0]
    assert len(list(mail_folder.iterdir())) == 120


def _forked(work: object) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        assert callable(work)
        work()
    except BaseException:
        os._exit(1)
    os._exit(0)


def test_mail_without_recipients_is_not_written(mail_folder: Path) -> None:
    assert (
        EmailBackend().send_messages([mail.EmailMessage("hello", "", "alice@example.com", [])]) == 0
    )
    assert not mail_folder.exists()


def test_unusable_folder_raises_unless_silenced(mail_folder: Path, invitation: bytes) -> None:
    mail_folder.parent.mkdir()
    mail_folder.write_text("a file, not a folder")
    messages = [FrozenEmail(invitation, recipients=[BOB])]
    with pytest.raises(OSError, match="mail"):
        EmailBackend().send_messages(messages)
    assert EmailBackend(fail_silently=True).send_messages(messages) == 0


def test_no_unfinished_file_stays_after_an_error(
    mail_folder: Path, invitation: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Path, __: Path) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OSError, match="no space"):
        EmailBackend().send_messages([FrozenEmail(invitation, recipients=[BOB])])
    assert list(mail_folder.iterdir()) == []


def test_folder_for_mail_must_be_set(settings: Settings) -> None:
    settings.EMAIL_FILE_PATH = None
    with pytest.raises(ImproperlyConfigured, match="EMAIL_FILE_PATH"):
        EmailBackend()
