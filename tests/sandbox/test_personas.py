"""The personas are synthetic and well formed, and the people that stories need are among them."""

from __future__ import annotations

from core.identifiers import DocumentType, normalise_document, normalise_name, normalise_phone
from sandbox.personas import People

PEOPLE = People().all


def test_documents_names_and_phones_are_well_formed() -> None:
    for person in PEOPLE:
        document = normalise_document(DocumentType(person.document_type), person.document_number)
        assert (document.type, document.number) == (person.document_type, person.document_number), person.key
        assert normalise_name(person.name) == person.name
        assert normalise_phone(person.phone)


def test_resident_numbers_belong_to_no_real_district() -> None:
    assert {person.document_number[:6] for person in PEOPLE if person.document_type == "111"} == {"330299"}
    assert all(person.phone.startswith("1990000") for person in PEOPLE)


def test_nobody_shares_an_identifier() -> None:
    for field in ("key", "document_number", "phone", "openid", "unionid", "alipay_user_id"):
        values = [getattr(person, field) for person in PEOPLE]
        assert len(set(values)) == len(values), field


def test_the_stories_have_their_people() -> None:
    by_key = {person.key: person for person in PEOPLE}
    assert by_key["zhang-wei"].outcome == "MATCH"
    assert {person.outcome for person in PEOPLE} == {
        "MATCH", "MISMATCH", "NOT_FOUND", "REVIEW", "DECEASED", "CANCELLED", "EXPIRED",
    }  # fmt: skip
    assert by_key["child"].guardian == "zhang-wei"
    assert by_key["foreigner"].document_number.startswith("9")
    assert by_key["hong-kong"].document_number.startswith("81")
    assert "·" in by_key["middle-dot"].name
    assert max(map(ord, by_key["rare-name"].name)) > 0xFFFF
    assert {person.payment for person in PEOPLE} == {"success", "insufficient", "delayed", "closed"}
