"""What people type into identity, company, phone and name fields (PROTOCOLS 6, PEERS 4.2). All people are invented."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.identifiers import (
    DocumentType,
    IdentifierError,
    Reason,
    Sex,
    age_on,
    normalise_credit_code,
    normalise_document,
    normalise_phone,
)
from core.identifiers.documents import check_character

T = DocumentType
STANDARD = "11010519491231002X"  # the example of GB 11643


def numbered(seventeen: str) -> str:
    return seventeen + check_character(seventeen)


def reason_of(kind: DocumentType, raw: str, today: date | None = None) -> Reason:
    with pytest.raises(IdentifierError) as caught:
        normalise_document(kind, raw, today=today)
    return caught.value.reason


@pytest.mark.parametrize(
    "typed",
    [
        STANDARD,
        "11010519491231002x",
        " 11010519491231002X ",
        "110105 19491231 002X",
        "110105-19491231-002x",
        "１１０１０５１９４９１２３１００２Ｘ",
        "11010519491231002ｘ",
        "110105\u200b19491231002X",
        "\ufeff11010519491231002X",
        "110105\u00a019491231\u3000002X\r\n",
        "110105\u2013194912310\u2014 02X",
    ],
)
def test_id_numbers_are_read_however_they_are_typed(typed: str) -> None:
    found = normalise_document(T.RESIDENT_ID, typed)
    assert (found.type, found.number) == (T.RESIDENT_ID, STANDARD)
    assert (found.birth_date, found.sex) == (date(1949, 12, 31), Sex.FEMALE)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", Reason.EMPTY),
        ("\u200b \u3000", Reason.EMPTY),
        ("110105194912310021", Reason.CHECKSUM),
        ("110105194902310026", Reason.BIRTH_DATE),  # 31 February
        (numbered("33020319991301001"), Reason.BIRTH_DATE),
        (numbered("33020319000229001"), Reason.BIRTH_DATE),  # 1900 was no leap year
        (numbered("33020300000101001"), Reason.BIRTH_DATE),
        (numbered("33020317490101001"), Reason.BIRTH_DATE),
        ("110105491231002", Reason.LEGACY_NUMBER),
        ("1101051949123100", Reason.LENGTH),
        ("11010519491231002X1", Reason.CHARACTERS),
        ("1101051949123100X2", Reason.CHARACTERS),
        ("1101051949123100 2O", Reason.CHARACTERS),
        ("110105194912310021234", Reason.LENGTH),
        ("身份证11010519491231002X", Reason.CHARACTERS),
        (numbered("99010519491231002"), Reason.REGION),
        (numbered("00010519491231002"), Reason.REGION),
        (numbered("66010519491231002"), Reason.REGION),
        (numbered("81000119900101001"), Reason.REGION),
        ("'; DROP TABLE--", Reason.CHARACTERS),
    ],
)
def test_wrong_id_numbers_are_refused_with_the_reason(typed: str, reason: Reason) -> None:
    assert reason_of(T.RESIDENT_ID, typed) is reason


def test_a_birth_date_to_come_is_refused_when_today_is_known() -> None:
    tomorrow = numbered("33020320261125001")
    assert normalise_document(T.RESIDENT_ID, tomorrow).birth_date == date(2026, 11, 25)
    assert reason_of(T.RESIDENT_ID, tomorrow, today=date(2026, 11, 24)) is Reason.BIRTH_DATE
    assert normalise_document(T.RESIDENT_ID, tomorrow, today=date(2026, 11, 25)).number == tomorrow


def test_old_merged_and_far_regions_are_valid() -> None:
    # 330204 was 江东, merged in 2016; 71 is Taiwan Province; 65 Xinjiang.
    for region in ("330204", "710000", "650102", "460100"):
        assert normalise_document(T.RESIDENT_ID, numbered(region + "19900101002")).type is T.RESIDENT_ID


@pytest.mark.parametrize("chosen", [T.RESIDENT_ID, T.FOREIGN_PERMANENT_RESIDENT, T.HMT_RESIDENCE])
@pytest.mark.parametrize(
    ("number", "kind", "birth_date", "sex"),
    [
        ("932682198501010017", T.FOREIGN_PERMANENT_RESIDENT, date(1985, 1, 1), None),  # official sample
        ("911124198108030024", T.FOREIGN_PERMANENT_RESIDENT, date(1981, 8, 3), None),  # official sample
        (numbered("81000019900101001"), T.HMT_RESIDENCE, date(1990, 1, 1), Sex.MALE),
        (numbered("82000019900101002"), T.HMT_RESIDENCE, date(1990, 1, 1), Sex.FEMALE),
        (numbered("83000019900101003"), T.HMT_RESIDENCE, date(1990, 1, 1), Sex.MALE),
        (STANDARD, T.RESIDENT_ID, date(1949, 12, 31), Sex.FEMALE),
    ],
)
def test_an_18_digit_number_decides_its_kind(
    chosen: DocumentType, number: str, kind: DocumentType, birth_date: date, sex: Sex | None
) -> None:
    """ID-3: who picks the wrong kind is still the same subject."""
    found = normalise_document(chosen, number)
    assert (found.type, found.number, found.birth_date, found.sex) == (kind, number, birth_date, sex)
    assert found.key == f"{kind.value}:{number}"


@pytest.mark.parametrize(
    ("kind", "typed", "number"),
    [
        (T.FOREIGN_PERMANENT_RESIDENT, "usa 3102 0000 0001", "USA310200000001"),
        (T.HK_MACAO_PERMIT, "h12345678", "H12345678"),
        (T.HK_MACAO_PERMIT, "Ｍ１２３４５６７８０１", "M1234567801"),
        (T.TAIWAN_PERMIT, "1234 5678", "12345678"),
        (T.TAIWAN_PERMIT, "1234567801（b）", "1234567801B"),
        (T.TAIWAN_PERMIT, "1234567801(B)", "1234567801B"),
        (T.PASSPORT, "e12345678", "E12345678"),
        (T.PASSPORT, "EA 1234567", "EA1234567"),
        (T.PASSPORT, "C01X00T47", "C01X00T47"),
        (T.MILITARY_OFFICER, "军字第1234567号", "军字第1234567号"),
        (T.MILITARY_OFFICER, "军字 1234567", "军字第1234567号"),
        (T.MILITARY_OFFICER, "南字第P011816x号", "南字第P011816X号"),
        (T.MILITARY_OFFICER, "01234567", "01234567"),
        (T.BIRTH_CERTIFICATE, "q330 000 001", "Q330000001"),
        (T.HOUSEHOLD_REGISTER, "33020300123", "33020300123"),
    ],
)
def test_other_documents(kind: DocumentType, typed: str, number: str) -> None:
    found = normalise_document(kind, typed)
    assert (found.type, found.number, found.birth_date, found.sex) == (kind, number, None, None)


@pytest.mark.parametrize(
    ("kind", "typed", "reason"),
    [
        (T.FOREIGN_PERMANENT_RESIDENT, "US1310200000001", Reason.CHARACTERS),
        (T.FOREIGN_PERMANENT_RESIDENT, "USA31020000000", Reason.LENGTH),
        (T.FOREIGN_PERMANENT_RESIDENT, "932682198501010018", Reason.CHECKSUM),
        (T.HK_MACAO_PERMIT, "A12345678", Reason.CHARACTERS),
        (T.HK_MACAO_PERMIT, "H1234567", Reason.LENGTH),
        (T.HK_MACAO_PERMIT, "H123456789", Reason.CHARACTERS),
        (T.TAIWAN_PERMIT, "1234567", Reason.LENGTH),
        (T.TAIWAN_PERMIT, "1234567A", Reason.CHARACTERS),
        (T.PASSPORT, "1234", Reason.LENGTH),
        (T.PASSPORT, "ABCDEFGH", Reason.CHARACTERS),
        (T.PASSPORT, "护照12345", Reason.CHARACTERS),
        (T.MILITARY_OFFICER, "军官", Reason.CHARACTERS),
        (T.MILITARY_OFFICER, "ABCDEFG", Reason.CHARACTERS),
        (T.BIRTH_CERTIFICATE, "3300000010", Reason.CHARACTERS),
        (T.BIRTH_CERTIFICATE, "Q33000000", Reason.LENGTH),
        (T.HOUSEHOLD_REGISTER, "12345", Reason.LENGTH),
    ],
)
def test_other_documents_refused(kind: DocumentType, typed: str, reason: Reason) -> None:
    assert reason_of(kind, typed) is reason


def test_every_kind_has_a_reader_and_a_label() -> None:
    for kind in DocumentType:
        assert reason_of(kind, " ") is Reason.EMPTY
        assert kind.label
    assert len({kind.label for kind in DocumentType}) == len(DocumentType)


def test_nothing_personal_is_printed() -> None:
    found = normalise_document(T.RESIDENT_ID, STANDARD)
    phone = normalise_phone("13800000000")
    assert "1949" not in repr(found)
    assert "1949" not in str(found)
    assert "138" not in repr(phone)
    for wrong in ("110105194912310021", "张伟110105"):
        with pytest.raises(IdentifierError) as caught:
            normalise_document(T.RESIDENT_ID, wrong)
        shown = f"{caught.value} {caught.value!r} {caught.value.args} {caught.value.fields}"
        assert "1101" not in shown
        assert "张" not in shown


def test_refusals_are_answers() -> None:
    with pytest.raises(InvalidInput) as caught:
        normalise_document(T.RESIDENT_ID, "110105194912310021", field="agent.document_number")
    problem = caught.value
    assert (problem.code, problem.status) == ("INVALID_INPUT", 422)
    assert problem.fields == {"agent.document_number": ("CHECKSUM",)}
    assert "校验位" in problem.sentence("zh-CN")
    assert "check digit" in problem.sentence("en")


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence_in_both_languages(reason: Reason) -> None:
    problem = IdentifierError(reason, "field")
    assert problem.sentence("zh-CN") != problem.sentence("en")
    assert problem.sentence("en").isascii()


births = st.dates(date(1900, 1, 1), date(2026, 11, 24))


@given(st.sampled_from(["330203", "110105", "650102", "810000", "932682"]), births, st.integers(0, 999))
def test_sound_numbers_are_accepted_and_every_wrong_digit_is_not(region: str, birth_date: date, serial: int) -> None:
    number = numbered(f"{region}{birth_date:%Y%m%d}{serial:03d}")
    found = normalise_document(T.RESIDENT_ID, number, today=date(2026, 11, 24))
    assert (found.number, found.birth_date) == (number, birth_date)
    assert normalise_document(found.type, found.number) == found
    for position in range(17):
        wrong = number[:position] + str((int(number[position]) + 1) % 10) + number[position + 1 :]
        with pytest.raises(IdentifierError):
            normalise_document(T.RESIDENT_ID, wrong)


@given(st.sampled_from(DocumentType), st.text(max_size=30))
def test_any_text_is_either_canonical_or_refused(kind: DocumentType, typed: str) -> None:
    try:
        found = normalise_document(kind, typed)
    except IdentifierError as refused:
        assert refused.field == "document_number"
    else:
        assert normalise_document(found.type, found.number) == found


@pytest.mark.parametrize(
    ("birth_date", "day", "age"),
    [
        (date(2008, 11, 24), date(2026, 11, 23), 17),
        (date(2008, 11, 24), date(2026, 11, 24), 18),  # from midnight on (DG-5)
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
        (date(2026, 11, 24), date(2026, 11, 24), 0),
        (date(2012, 12, 31), date(2026, 12, 30), 13),
        (date(2026, 11, 25), date(2026, 11, 24), -1),
    ],
)
def test_age(birth_date: date, day: date, age: int) -> None:
    assert age_on(birth_date, day) == age


@pytest.mark.parametrize(
    "typed", ["91350100M000100Y43", "91350100m000100y43", "91350100 M000100Y43", "９１３５０１００Ｍ０００１００Ｙ４３"]
)
def test_credit_codes(typed: str) -> None:
    assert normalise_credit_code(typed).code == "91350100M000100Y43"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", Reason.EMPTY),
        ("91350100M000100Y4", Reason.LENGTH),
        ("91350100M000100Y431", Reason.LENGTH),
        ("91350100M000100Y44", Reason.CHECKSUM),
        ("91350100M00010OY43", Reason.CHARACTERS),
        ("91350100I000100Y43", Reason.CHARACTERS),
        ("9135010张M000100Y43", Reason.CHARACTERS),
    ],
)
def test_wrong_credit_codes(typed: str, reason: Reason) -> None:
    with pytest.raises(IdentifierError) as caught:
        normalise_credit_code(typed)
    assert caught.value.reason is reason


def test_the_organisation_code_inside_only_warns() -> None:
    # Both have a sound last character; the organisation code of the second has a wrong check of its own.
    assert normalise_credit_code("91350100M000100Y43").organisation_code_ok
    legacy = "91350100M000101Y"
    accepted = [code for c in "0123456789ABCDEFGHJKLMNPQRTUWXY" for code in [legacy + "4" + c] if _accepted(code)]
    assert len(accepted) == 1
    assert not normalise_credit_code(accepted[0]).organisation_code_ok


def _accepted(code: str) -> bool:
    try:
        normalise_credit_code(code)
    except IdentifierError:
        return False
    return True
