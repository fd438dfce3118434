"""P-4: every table that knows a person is part of the copy a person gets, or says here why it isn't."""

from flask import Flask

from auth.personal_data.ports import Sources
from core import ports
from core.db import Base

# Table → the source that exports it, or in brackets why there is nothing to export.
KNOWN = {
    "subject": "account",
    "phone_binding": "account",
    "wechat_binding": "account",
    "alipay_binding": "account",
    "subject_document": "account",
    "subject_name": "account",
    "subject_freeze": "(state of the account, told when it happens)",
    "identity_evidence": "identity",
    "identity_review": "(its outcome is evidence)",
    "network_identity_check": "(its outcome is evidence)",
    "identity_conflict": "(about two people: told by a registrar)",
    "identity_signal": "(a source's word on a document, not the person's)",
    "citizen_session": "(shown live at /account/sessions)",
    "login_event": "sign_ins",
    "sign_in_report": "sign_ins",
    "consent": "consents",
    "oidc_consent": "authorisations",
    "oidc_subject": "(a pseudonym, meaningless without its system)",
    "oidc_sign_on": "(ends with the session)",
    "sso_ticket": "(lives 60 seconds)",
    "delegation": "delegations",
    "guardian_agreement": "delegations",
    "agency_contract": "(an organisation's, not a person's)",
    "staff_person": "(a duty of the member of staff)",
    "organisation": "(an organisation's, not a person's)",
    "organisation_role": "organisations",
    "prereview": "prereviews",
    "appointment": "appointments",
    "appointment_party": "(about third persons)",
    "service_case": "cases",
    "fee_bill": "bills",
    "shipment": "deliveries",
    "stored_file": "files",
    "message": "messages",
    "subscribe_consent": "(counts of a platform's prompts)",
    "data_export": "(the copy itself)",
    "correction_request": "requests",
    "account_closing": "(shown live at /personal-data/closing)",
    "item_favourite": "items",
    "item_seen": "items",
}


def test_every_table_that_knows_a_person_is_exported_or_says_why_not(app: Flask) -> None:
    knowing = {
        table.name
        for table in Base.metadata.sorted_tables
        if any(key.column.table.name == "subject" for key in table.foreign_keys)
    } | {"subject"}
    assert knowing - set(KNOWN) == set(), "add a Source in gateway/personal.py, or say here why there is none"
    assert set(KNOWN) - knowing == set()
    sources = {source.name for source in ports.get(Sources).all}
    assert {name for name in KNOWN.values() if not name.startswith("(")} <= sources
