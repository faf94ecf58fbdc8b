"""A client written against the page of the replaced service works unchanged; its examples are
verbatim.
"""

import json
from typing import Any

import pytest

from meetings.models import ApiKey
from tests.api.answers import body_of
from tests.api.conftest import Last
from tests.conftest import Call
from tests.support.smtp_server import ScriptedSMTP

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
def secret(db: None) -> str:
    """A key for the page's sender."""
    return str(ApiKey.objects.create_key(name="old client", senders=["xxx@xxx.com"])[1])


def as_operation(example: str, operation: str) -> bytes:
    """The page's example as it is written, but for the operation."""
    return example.replace('"operation": "cancel"', f'"operation": "{operation}"').encode()


@pytest.mark.parametrize("example", [SINGLE, REPEATED], ids=["single", "repeated"])
def test_examples_of_the_page_work_verbatim(
    call: Call, mail_server: ScriptedSMTP, last: Last, example: str
) -> None:
    for sequence, (operation, method) in enumerate(
        [("send", "REQUEST"), ("update", "REQUEST"), ("update", "REQUEST"), ("cancel", "CANCEL")]
    ):
        response = call(raw=as_operation(example, operation))
        assert response.status_code == 200
        body = body_of(response)
        assert {name: body[name] for name in ("result", "uid")} == {"result": 1, "uid": UID}
        mail = last()
        assert (mail.method, mail.sequence, mail.vevent.uid.value) == (method, sequence, UID)
        assert mail.people == ["xxx@xxx.com"]
        assert mail.vevent.summary.value == "会议测试邮件,修复了组织者,可以进行应答"
        assert mail.vevent.location.value == "xxxxx7F会议室"
        starts = f"{mail.vevent.dtstart.value:%Y-%m-%d %H:%M}"
        assert starts == ("2019-11-30 10:00" if example == SINGLE else "2019-12-02 10:00")
    assert len(mail_server.received) == 4


def test_repeated_example_is_three_mondays(
    call: Call, mail_server: ScriptedSMTP, last: Last
) -> None:
    call(raw=as_operation(REPEATED, "send"))
    assert last().vevent.rrule.value == "FREQ=WEEKLY;COUNT=3;BYDAY=MO"


def test_empty_parameters_count_as_absent(
    call: Call, mail_server: ScriptedSMTP, last: Last
) -> None:
    example = json.loads(SINGLE) | {
        "operation": "send",
        "uid": "",
        "repeat": "",
        "required": "",
        "timezone": None,
    }
    example["receiver"]["optional"] = ""
    assert body_of(call(example))["result"] == 1
    assert (last().people, "rrule" in last().vevent.contents) == (["xxx@xxx.com"], False)


def test_send_without_uid_returns_the_uid_to_keep(
    call: Call, mail_server: ScriptedSMTP, mails: Any
) -> None:
    example = json.loads(SINGLE)
    del example["uid"]
    uid = body_of(call(example | {"operation": "send"}))["uid"]
    assert body_of(call(example | {"operation": "cancel", "uid": uid}))["result"] == 1
    first, second = (invitation.vevent.uid.value for invitation in mails())
    assert first == second == uid


def test_failure_is_result_0_with_status_200(call: Call, mail_server: ScriptedSMTP) -> None:
    mail_server.scripts["rcpt"] = "550 5.1.1 no such user"
    response = call(raw=as_operation(SINGLE, "send"))
    assert (response.status_code, body_of(response)["result"]) == (200, 0)


def test_response_has_the_types_of_the_page(call: Call, mail_server: ScriptedSMTP) -> None:
    body = body_of(call(raw=as_operation(SINGLE, "send")))
    assert (type(body["result"]), type(body["uid"])) == (int, str)
    # All the rest is the contract's.
    assert (body["sequence"], body["recipients"]) == (0, {"xxx@xxx.com": "sent"})
    assert len(body["warnings"]) == 2


def test_call_without_parameters_is_not_found(call: Call) -> None:
    assert body_of(call(raw=b"")) == {"error": "Not found"}


def test_cancel_of_unknown_meeting_is_not_found(call: Call, mail_server: ScriptedSMTP) -> None:
    response = call(raw=SINGLE.encode())
    assert (response.status_code, body_of(response)["error"]) == (404, "Not found")
    assert not mail_server.received
