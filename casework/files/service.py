"""What people and features do with uploaded files."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import IO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.accounts.events import SubjectsMerged
from auth.delegation import queries as delegations
from auth.organisations import queries as organisations
from casework.files import queries, rules
from casework.files.models import StoredFile, StoredFileUse
from casework.files.pdf import rules as pdf
from casework.files.ports import FileStore
from casework.files.rules import MediaType
from core import clock, ids, ports, security
from core.actors import Capacity, Citizen
from core.errors import NotFound, PayloadTooLarge

_LINK = "file"
_NAME_MAX = 200
_NONCE_BYTES = 12
# The first byte of sealed content says how it was sealed, so that another algorithm can join later.
_AES_256_GCM = b"\x01"


@dataclass(frozen=True, slots=True)
class Link:
    """Where a file can be opened, by anybody who has the token, until it expires. `mark`: part of what the token covers."""

    file_id: UUID
    token: str
    expires_at: datetime
    mark: str


@dataclass(frozen=True, slots=True)
class MarkedFile:
    """A file as staff and agencies may open it: a copy with `label` across every page (PR-15, DG-4); without one, as it is."""

    stored: StoredFile
    label: str

    @property
    def media_type(self) -> MediaType:
        """What `content` is: marked pictures come as JPEG."""
        kind = MediaType(self.stored.media_type)
        return MediaType.JPEG if kind.is_image and self.label else kind

    def content(self) -> bytes:
        """The marked copy; an OFD comes unmarked. Call it after the transaction. Raises `NotFound` if the bytes are gone."""
        original = content(self.stored)
        if not self.label:
            return original
        if self.media_type.is_image:
            return rules.watermark_image(original, self.label)
        return pdf.watermark(original, self.label) if self.media_type is MediaType.PDF else original


def upload(session: Session, *, actor: Citizen, stream: IO[bytes], filename: str) -> StoredFile:
    """Keep an uploaded file for the actor's matter (PR-13). The same bytes again give the same file.

    The content is sealed with a fresh AES-256-GCM key that the row keeps encrypted by the field cipher, so a rotation of
    keys rewrites rows, not files. The store is written before the database is touched, so no transaction waits for it;
    a failure in between leaves bytes that nobody can open. Raises `PayloadTooLarge`, `MaterialTypeInvalid`, `PartnerUnavailable`.
    """
    limit = rules.POLICY.max_bytes
    sent = stream.read(limit + 1)
    if len(sent) > limit:
        raise PayloadTooLarge(extra={"max_bytes": limit})
    inspected = rules.inspect(sent)
    store = ports.get(FileStore)
    file_id, key = ids.uuid7(), AESGCM.generate_key(256)
    store.put(storage_key(file_id), _sealed(sent, key, file_id))
    digest = hashlib.sha256(sent).digest()
    same = select(StoredFile).where(
        StoredFile.owner_id == actor.owner_id, StoredFile.digest == digest, StoredFile.deleted_at.is_(None)
    )
    if actor.on_behalf_of is not None:
        # Another's copy of the same paper would tell that there is one.
        same = same.where(StoredFile.uploaded_by == actor.subject_id)
    known = session.scalars(same.limit(1)).first()
    if known is not None:
        store.delete(storage_key(file_id))
        return known
    stored = StoredFile(
        id=file_id,
        owner_id=actor.owner_id,
        uploaded_by=actor.subject_id,
        digest=digest,
        media_type=inspected.media_type,
        size=len(sent),
        pages=inspected.pages,
        original_name=filename[-_NAME_MAX:],
        content_key=base64.b64encode(key).decode(),
        created_at=clock.now(),
    )
    session.add(stored)
    session.flush()
    return stored


def storage_key(file_id: UUID) -> str:
    """Where a file's bytes are in the store: two folders by the id's random end, then the id."""
    return f"{file_id.hex[-2:]}/{file_id.hex[-4:-2]}/{file_id.hex}"


def _sealed(plain: bytes, key: bytes, file_id: UUID) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return _AES_256_GCM + nonce + AESGCM(key).encrypt(nonce, plain, file_id.bytes)


def content(stored: StoredFile) -> bytes:
    """The bytes as they were uploaded. Call it after the transaction. Raises `NotFound` if they are gone or were changed."""
    try:
        sealed = ports.get(FileStore).get(storage_key(stored.id))
        nonce, text = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        return AESGCM(base64.b64decode(stored.content_key)).decrypt(nonce, text, stored.id.bytes)
    except (KeyError, InvalidTag):
        raise NotFound() from None


def link(session: Session, *, actor: Citizen, file_id: UUID) -> Link:
    """A signed link to one's own file, good for five minutes [D] (2.7); for another, to what one uploaded. Raises `NotFound`.

    What an agency opens is marked with the agency's credit code, who of its people it was, and when (DG-4).
    """
    (stored,) = queries.owned(session, actor.owner_id, [file_id])
    if actor.on_behalf_of is not None and stored.uploaded_by != actor.subject_id and not rules.opens_all(actor):
        raise NotFound()
    until = (clock.now() + rules.POLICY.link_lifetime).replace(microsecond=0)
    mark = _mark(session, actor)
    return Link(stored.id, security.sign_link(_LINK, _covered(stored.id, mark), until), until, mark)


def _mark(session: Session, actor: Citizen) -> str:
    if actor.acting is None or actor.acting.capacity is not Capacity.AGENCY:
        return ""
    agency_id = delegations.agent_of(session, actor.acting.grant_id)
    code = None if agency_id is None else organisations.credit_code(session, agency_id)
    # The font of the mark is ASCII, and a name would be one more person's data on paper that leaks.
    return f"{code} {actor.subject_id.hex[-8:]} {clock.local(clock.now()):%Y-%m-%d %H:%M}"


def _covered(file_id: UUID, mark: str) -> str:
    return f"{file_id} {mark}" if mark else str(file_id)


def open_link(session: Session, *, file_id: UUID, token: str, mark: str = "") -> MarkedFile:
    """The file of a signed link. Raises `NotFound` for a forged or expired one, another mark, and a file that is gone."""
    if not security.check_link(_LINK, _covered(file_id, mark), token, clock.now()):
        raise NotFound()
    return open_marked(session, file_id=file_id, label=mark)


def open_marked(session: Session, *, file_id: UUID, label: str) -> MarkedFile:
    """A file with this mark; the caller has checked and recorded that they may see it. Raises `NotFound`."""
    stored = queries.by_ids(session, [file_id]).get(file_id)
    if stored is None:
        raise NotFound()
    return MarkedFile(stored, label)


def attach(
    session: Session, *, owner_id: UUID, file_ids: Collection[UUID], matter_type: str, matter_id: UUID
) -> list[StoredFile]:
    """Say that the owner's files belong to a matter, so that they stay; again changes nothing.

    Gives the files in the order asked for. Raises `NotFound` if one is missing, purged or somebody else's.
    """
    # The lock keeps the purge away from a file between this check and our commit.
    session.execute(select(StoredFile.id).where(StoredFile.id.in_(file_ids)).with_for_update(key_share=True, read=True))
    stored = queries.owned(session, owner_id, file_ids)
    if stored:
        rows = [{"file_id": file.id, "matter_type": matter_type, "matter_id": matter_id} for file in stored]
        session.execute(insert(StoredFileUse).values(rows).on_conflict_do_nothing())
    return stored


def release(session: Session, *, matter_type: str, matter_id: UUID) -> None:
    """Say that a matter needs none of its files any more; those of no other matter are purged in time (P-6)."""
    session.execute(
        delete(StoredFileUse).where(StoredFileUse.matter_type == matter_type, StoredFileUse.matter_id == matter_id)
    )


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """Files follow their owner when two subjects turn out to be one person."""
    for column in (StoredFile.owner_id, StoredFile.uploaded_by):
        session.execute(update(StoredFile).where(column == event.absorbed).values({column.key: event.kept}))
