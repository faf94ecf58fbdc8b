"""Each text file in this folder is one test. README.md describes them."""

from pathlib import Path

import pytest

from tests.conversations.driver import play
from tests.conversations.script import ConversationError
from tests.support.servers.smtp_server import ScriptedSMTP

FILES = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_conversation(file: Path, mail_server: ScriptedSMTP) -> None:
    try:
        play(file, mail_server)
    except ConversationError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
