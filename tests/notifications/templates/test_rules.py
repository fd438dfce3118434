"""The table of message templates (DOMAIN 3.17) and how a text is filled."""

import re
from datetime import datetime

import pytest

from core.clock import SHANGHAI
from notifications.templates import queries
from notifications.templates.rules import ShortMessage, Template, display_fields, render
from partners.wechat.values import fit

CODES = {
    *(f"PREREVIEW_{end}" for end in ("SUBMITTED", "NEEDS_CHANGE", "PASSED", "REJECTED", "EXPIRED")),
    *(f"APPOINTMENT_{end}" for end in ("BOOKED", "CANCELLED", "HALL_CANCELLED", "REMINDER", "NO_SHOW_WARNING")),
    "TICKET_CALLED",
    *(f"BILL_{end}" for end in ("ISSUED", "PAID", "EXPIRED", "REFUNDED")),
    *(f"CASE_{end}" for end in ("RECEIVED", "CORRECTION", "ACCEPTED", "SUSPENDED", "RESUMED", "DECIDED", "READY")),
    *(f"CASE_{end}" for end in ("NOT_ACCEPTED", "WITHDRAWN", "DELIVERED")),
    *(f"DELIVERY_{end}" for end in ("REQUESTED", "ORDERED", "OUT", "CODE", "DELIVERED", "PROBLEM")),
    "IDENTITY_RAISED", "IDENTITY_REVIEW_PASSED", "IDENTITY_REVIEW_FAILED",
    "SECURITY_NOTICE",
    "ITEM_CHANGED", "ITEM_CHANGE_CANCELLED", "ITEM_ENDED",
    "DELEGATION_CHANGED", "DELEGATION_CODE",
    "APPOINTMENT_ATTENTION",
    "PERSONAL_DATA_SEEN",
    "DATA_EXPORT_READY",
    "CORRECTION_ANSWERED",
}  # fmt: skip
# The main story's steps reach the phone as SMS, whatever WeChat does.
MAIN_STORY = {
    "PREREVIEW_SUBMITTED", "PREREVIEW_PASSED", "APPOINTMENT_BOOKED", "TICKET_CALLED", "BILL_ISSUED", "BILL_PAID",
    "CASE_ACCEPTED", "CASE_DECIDED", "CASE_READY", "DELIVERY_ORDERED", "DELIVERY_OUT", "DELIVERY_CODE",
    "DELIVERY_DELIVERED",
}  # fmt: skip
AT = datetime(2026, 11, 24, 15, 1, tzinfo=SHANGHAI)
GIVEN = {
    "matter": "存量房转移登记",
    "number": "NB2611240000010",
    "when": "2026-12-05 09:00",
    "where": "宁波市行政服务中心3号窗口",
    "amount": "80.00",
    "note": "房产证第二页看不清",
    "code": "123456",
}

TEMPLATES = list(queries.all_templates().values())
every_template = pytest.mark.parametrize("entry", TEMPLATES, ids=lambda entry: entry.code)
every_short_message = pytest.mark.parametrize(
    "entry", [entry for entry in TEMPLATES if entry.registration], ids=lambda entry: entry.code
)
every_subscription = pytest.mark.parametrize(
    "entry", [entry for entry in TEMPLATES if entry.subscription], ids=lambda entry: entry.code
)


def _texts(entry: Template) -> list[str]:
    return [entry.zh.title, entry.zh.text, *([entry.registration.text] if entry.registration else [])]


def test_every_code_has_a_template() -> None:
    assert set(queries.all_templates()) == CODES


def test_the_main_story_goes_out_as_sms() -> None:
    assert {code for code in MAIN_STORY if queries.template(code).short_message is not ShortMessage.ALWAYS} == set()


def test_an_unknown_code_is_a_fault_of_the_caller() -> None:
    with pytest.raises(LookupError):
        queries.template("PREREVIEW_ACCEPTED")


@every_template
def test_filled_texts_are_whole(entry: Template) -> None:
    chinese = display_fields(GIVEN, sensitive=False, at=AT, english=False)
    english = display_fields(GIVEN, sensitive=False, at=AT, english=True)
    for text in _texts(entry):
        assert not re.search(r"[{}\[\]$]", render(text, chinese))
    for text in (entry.en.title, entry.en.text):
        filled = render(text, english)
        assert not re.search(r"[{}\[\]$]", filled)
        # Apart from the names that were given, English is English.
        for given in GIVEN.values():
            filled = filled.replace(given, "")
        assert not re.search(r"[\u4e00-\u9fff]", filled)


@every_template
def test_texts_make_sense_with_the_matter_and_number_alone(entry: Template) -> None:
    """Everything else may be missing: what is optional disappears with its punctuation."""
    fields = display_fields(
        {"matter": "存量房转移登记", "number": "NB2611240000010"}, sensitive=False, at=AT, english=False
    )
    text = render(entry.zh.text, fields)
    assert "。。" not in text
    assert "：。" not in text
    assert "（）" not in text


@every_template
def test_a_sensitive_matter_is_never_named(entry: Template) -> None:
    """3.17: marriage, credit and police matters are 您的办件."""
    fields = display_fields({**GIVEN, "matter": "结婚登记"}, sensitive=True, at=AT, english=False)
    texts = _texts(entry) + list(entry.subscription.values.values() if entry.subscription else [])
    assert not any("结婚" in render(text, fields) for text in texts)
    english = display_fields({**GIVEN, "matter": "结婚登记"}, sensitive=True, at=AT, english=True)
    assert "结婚" not in render(entry.en.text, english)


@pytest.mark.parametrize("code", sorted(code for code in CODES if code.startswith("PREREVIEW_")))
def test_a_prereview_is_never_called_an_acceptance(code: str) -> None:
    """PR-14: every text says 预审 and 非正式受理, and 受理 nowhere else."""
    entry = queries.template(code)
    for text in (entry.zh.text, entry.registration.text if entry.registration else ""):
        assert "预审" in text
        assert "非正式受理" in text
        assert "受理" not in text.replace("非正式受理", "")
    assert "受理" not in entry.zh.title
    assert "not yet formal acceptance" in entry.en.text


def test_the_no_show_warning_is_not_called_a_blacklist() -> None:
    """AP-22."""
    assert not any("黑名单" in text for text in _texts(queries.template("APPOINTMENT_NO_SHOW_WARNING")))


@every_short_message
def test_short_messages_stay_short_and_hold_no_address(entry: Template) -> None:
    assert entry.registration is not None
    # Without variables, one message of 70 characters with its sign; registered variables may make it two.
    plain = re.sub(r"\{\w+\}", "", entry.registration.text)
    assert len(plain) + len("【宁波政务】") <= 70
    assert "http" not in plain
    assert "【" not in plain, "the platform puts the sign in front"
    assert re.fullmatch(r"SMS_\d{6,12}", entry.registration.code)


def test_registrations_are_distinct_and_in_the_platforms_notation() -> None:
    registered = queries.sms_registrations()
    codes = queries.sms_codes()
    assert sorted(registered) == sorted(codes.values())
    assert "VERIFICATION_CODE" in codes
    assert "${code}" in registered[codes["VERIFICATION_CODE"]]
    assert not any(re.search(r"(?<!\$)\{", text) for text in registered.values())


@every_subscription
def test_wechat_takes_every_value(entry: Template) -> None:
    """No value may be refused by WeChat (47003), with all fields or with what is left out replaced."""
    assert entry.subscription is not None
    for sensitive in (False, True):
        fields = display_fields(GIVEN, sensitive=sensitive, at=AT, english=False)
        for key, text in entry.subscription.values.items():
            fit(key, render(text, fields, nothing=""))


def test_optional_parts_and_fields() -> None:
    fields = {"a": "甲", "b": ""}
    assert render("{a}[[，{b}]]。[[{a}！]]", fields) == "甲。甲！"
    assert render("{b}{c}", fields, nothing="-") == "--"


def test_what_a_person_typed_is_never_taken_for_a_field() -> None:
    fields = {"note": "{number}[[x]]", "number": "1"}
    assert render("{note}[[：{note}]]", fields) == "{number}[[x]]：{number}[[x]]"


def test_days_are_written_the_chinese_way() -> None:
    fields = display_fields(
        {"when": "2026-12-05 09:00~09:30", "note": "2026-12-05"}, sensitive=False, at=AT, english=False
    )
    assert fields["when"] == "2026年12月5日 09:00~09:30"
    assert fields["note"] == "2026-12-05"
    assert fields["at"] == "2026年11月24日 15:01"
    assert display_fields({"when": "2026-12-05"}, sensitive=False, at=AT, english=True)["when"] == "2026-12-05"
