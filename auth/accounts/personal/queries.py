"""The person's own profile, phones and sign-in accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.accounts.models import AlipayBinding, PhoneBinding, Subject, SubjectDocument, SubjectName, WeChatBinding


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """Profile, documents, earlier names, phones, and since when WeChat and Alipay are bound."""
    subject = session.get_one(Subject, subject_id)
    documents = session.scalars(select(SubjectDocument).where(SubjectDocument.subject_id == subject_id))
    names = session.scalars(select(SubjectName).where(SubjectName.subject_id == subject_id))
    phones = session.scalars(select(PhoneBinding).where(PhoneBinding.subject_id == subject_id))
    others: list[dict[str, Any]] = []
    tables: tuple[tuple[type[WeChatBinding | AlipayBinding], str], ...] = (
        (WeChatBinding, "WeChat"),
        (AlipayBinding, "Alipay"),
    )
    for table, name in tables:
        found = session.execute(select(table.bound_at, table.ended_at).where(table.subject_id == subject_id))
        others += [{"account": name, "bound_at": row.bound_at, "ended_at": row.ended_at} for row in found]
    return {
        "account_since": subject.created_at,
        "language": subject.language,
        "contact_phone": subject.contact_phone,
        "documents": [
            {
                "type": row.document_type,
                "number": row.document_number,
                "name": row.name,
                "bound_at": row.bound_at,
                "ended_at": row.ended_at,
            }
            for row in documents
        ],
        "earlier_names": [{"name": row.name, "until": row.until} for row in names],
        "phones": [{"phone": row.phone, "bound_at": row.bound_at, "ended_at": row.ended_at} for row in phones],
        "sign_in_accounts": others,
    }
