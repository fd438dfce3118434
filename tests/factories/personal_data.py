"""People who use their rights."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from auth.accounts import queries as people
from auth.identity import service as identity
from auth.identity.rules import EvidenceType, Purpose, Result
from core.actors import Citizen
from core.db import transaction


def prove(actor: Citizen, purpose: Purpose = Purpose.CLOSE_ACCOUNT) -> None:
    """A fresh proof for one act, as a clerk at a counter gives it."""
    with transaction() as session:
        document = people.document(session, actor.subject_id)
        assert document is not None
        identity.record_proof(
            session,
            subject_id=actor.subject_id,
            kind=EvidenceType.HALL,
            provider="tests",
            document=document,
            result=Result.PASS,
            purpose=purpose,
            session_id=actor.session_id,
        )


def opened(packed: bytes) -> tuple[dict[str, Any], str]:
    """What is in a copy: the JSON, and the page."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert sorted(archive.namelist()) == ["data.html", "data.json"]
        return json.loads(archive.read("data.json")), archive.read("data.html").decode()
