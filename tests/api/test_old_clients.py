"""A client of the replaced service works unchanged, as the examples of its page show."""

import json
from functools import partial

import pytest

from meetings.models import ApiKey
from tests.api.conftest import Last, Mails
from tests.api.responses import body_of
from tests.conftest import Call
from tests.support.servers.smtp_server import ScriptedSMTP

pytestmark = pytest.mark.django_db
UID = "fd973b4c-111c-11ea-9671-005056c00008"

SINGLE = """{"start": "2019-11-30 10:00", 
"end": "2019-11-30 11:00", 
"sender": "xxx@xxx.com",       
"receiver": {
"required":["xxx@xxx.com"],
"optional":["xxx@xxx.com"]
},        
"subj": "会议测试邮件,修复了组织者,可以进行应答", 
"description": "欢迎参加会议！",    
"location": "xxxxx7F会议室", 
"uid": "fd973b4c-111c-11ea-9671-005056c00008", 
"operation": "cancel"}"""  # noqa: W291 - the page's own

REPEATED = (
    SINGLE[:-1]
    + """,
"repeat": {"FREQ": "WEEKLY", "COUNT":3, "BYDAY": "MO"}
}"""
)


@pytest.fixture
def call_as_old_client(call: Call, mail_server: ScriptedSMTP) -> Call:
    """``call`` with a key for the page's sender."""
    _, secret = ApiKey.objects.create_key(name="old client", senders=["xxx@xxx.com"])
    return partial(call, key=secret)


def as_operation(example: str, operation: str) -> bytes:
    """The page's example as it is written, except the operation."""
    return example.replace('"operation": "cancel"', f'"operation": "{operation}"').encode()


@pytest.mark.parametrize("example", [SINGLE, REPEATED], ids=["single", "repeated"])
def test_examples_of_the_page_work_verbatim(
    call_as_old_client: Call, mails: Mails, example: str
) -> None:
    for sequence, (operation, method) in enumerate(
        [("send", "REQUEST"), ("update", "REQUEST"), ("update", "REQUEST"), ("cancel", "CANCEL")]
    ):
        response = call_as_old_client(raw=as_operation(example, operation))
        assert response.status_code == 200
        body = body_of(response)
        assert {name: body[name] for name in ("result", "uid")} == {"result": 1, "uid": UID}
        mail = mails()[-1]
        assert (mail.method, mail.sequence, mail.vevent.uid.value) == (method, sequence, UID)
        assert mail.people == ["xxx@xxx.com"]
        assert mail.vevent.summary.value == "会议测试邮件,修复了组织者,可以进行应答"
        assert mail.vevent.location.value == "xxxxx7F会议室"
        starts = f"{mail.vevent.dtstart.value:%Y-%m-%d %H:%M}"
        assert starts == ("2019-11-30 10:00" if example == SINGLE else "2019-12-02 10:00")
    assert len(mails()) == 4


def test_repeated_example_is_three_mondays(call_as_old_client: Call, last: Last) -> None:
    call_as_old_client(raw=as_operation(REPEATED, "send"))
    assert last().vevent.rrule.value == "FREQ=WEEKLY;COUNT=3;BYDAY=MO"


def test_empty_parameters_count_as_absent(call_as_old_client: Call, last: Last) -> None:
    empty = {"uid": "", "repeat": "", "required": "", "timezone": None}
    example = json.loads(SINGLE) | empty | {"operation": "send"}
    example["receiver"]["optional"] = ""
    assert body_of(call_as_old_client(example))["result"] == 1
    assert (last().people, "rrule" in last().vevent.contents) == (["xxx@xxx.com"], False)


def test_send_without_uid_returns_the_uid_to_keep(call_as_old_client: Call, mails: Mails) -> None:
    example = json.loads(SINGLE)
    del example["uid"]
    uid = body_of(call_as_old_client(example | {"operation": "send"}))["uid"]
    assert body_of(call_as_old_client(example | {"operation": "cancel", "uid": uid}))["result"] == 1
    first, second = (invitation.vevent.uid.value for invitation in mails())
    assert first == second == uid


def test_failure_is_result_0_with_status_200(
    call_as_old_client: Call, mail_server: ScriptedSMTP
) -> None:
    mail_server.scripts["rcpt"] = "550 5.1.1 no such user"
    response = call_as_old_client(raw=as_operation(SINGLE, "send"))
    assert (response.status_code, body_of(response)["result"]) == (200, 0)


def test_response_has_the_types_of_the_page(call_as_old_client: Call) -> None:
    body = body_of(call_as_old_client(raw=as_operation(SINGLE, "send")))
    assert (type(body["result"]), type(body["uid"])) == (int, str)
    # The contract adds the other keys.
    assert (body["sequence"], body["recipients"]) == (0, {"xxx@xxx.com": "sent"})
    assert len(body["warnings"]) == 2


def test_call_without_parameters_is_not_found(call_as_old_client: Call) -> None:
    assert body_of(call_as_old_client(raw=b"")) == {"error": "Not found"}


def test_cancel_of_unknown_meeting_is_not_found(call_as_old_client: Call, mails: Mails) -> None:
    response = call_as_old_client(raw=SINGLE.encode())
    assert (response.status_code, body_of(response)["error"]) == (404, "Not found")
    assert mails() == []
