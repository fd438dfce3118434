"""Uploading, opening and forgetting files (PR-13, 2.7, P-6)."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from auth.accounts.events import SubjectsMerged
from auth.delegation.counter import service as counter
from auth.delegation.rules import Kind
from casework.files import jobs, queries, rules, service
from casework.files.models import StoredFile
from casework.files.ports import FileStore
from core import clock, db, ports
from core.actors import Action, Citizen
from core.errors import NotFound, PayloadTooLarge
from tests.factories import delegation as delegations
from tests.factories import papers
from tests.sandbox_client import Sandbox

People = Callable[..., tuple[Any, dict[str, str]]]


@pytest.fixture
def zhang(citizen: People) -> Citizen:
    actor: Citizen = citizen(level=1)[0]
    return actor


def upload(session: Session, actor: Citizen, content: bytes, name: str = "身份证 张三.pdf") -> StoredFile:
    return service.upload(session, actor=actor, stream=io.BytesIO(content), filename=name)


def test_a_file_comes_back_as_it_went_in(session: Session, zhang: Citizen) -> None:
    content = papers.pdf(3)
    stored = upload(session, zhang, content)
    assert (stored.media_type, stored.pages, stored.size) == ("application/pdf", 3, len(content))
    assert service.content(stored) == content


def test_the_store_and_the_row_tell_nothing(session: Session, zhang: Citizen) -> None:
    """2.7: personal data is encrypted at rest, and no text of the user is in a path."""
    content = papers.png()
    stored = upload(session, zhang, content)
    sealed = ports.get(FileStore).get(service.storage_key(stored.id))
    assert content[:8] not in sealed
    assert len(sealed) == len(content) + 1 + 12 + 16
    row = session.execute(text("SELECT original_name, content_key FROM stored_file")).one()
    assert "张三".encode() not in bytes(row.original_name)
    assert upload(session, zhang, papers.jpeg()).content_key != stored.content_key


def test_bytes_that_were_changed_in_the_store_are_not_given_out(session: Session, zhang: Citizen) -> None:
    stored = upload(session, zhang, papers.png())
    store = ports.get(FileStore)
    key = service.storage_key(stored.id)
    store.put(key, store.get(key)[:-1] + b"\0")
    with pytest.raises(NotFound):
        service.content(stored)
    store.delete(key)
    with pytest.raises(NotFound):
        service.content(stored)


def test_the_same_bytes_again_are_the_same_file(session: Session, zhang: Citizen, citizen: People) -> None:
    first, second = upload(session, zhang, papers.png()), upload(session, zhang, papers.png(), "again.png")
    assert first.id == second.id
    stranger, _ = citizen(level=1)
    assert upload(session, stranger, papers.png()).id != first.id


def test_ten_megabytes_and_not_one_byte_more(session: Session, zhang: Citizen) -> None:
    limit = rules.POLICY.max_bytes
    base = papers.pdf(1)
    full = base + b"\n%" + b"." * (limit - len(base) - 2)
    assert upload(session, zhang, full).size == limit
    with pytest.raises(PayloadTooLarge) as refused:
        upload(session, zhang, full + b".")
    assert refused.value.extra == {"max_bytes": limit}


def test_files_are_found_only_by_their_owner(session: Session, zhang: Citizen, citizen: People) -> None:
    one, two = upload(session, zhang, papers.png()), upload(session, zhang, papers.jpeg())
    assert [found.id for found in queries.owned(session, zhang.owner_id, [two.id, one.id])] == [two.id, one.id]
    stranger, _ = citizen(level=1)
    for owner, wanted in ((stranger.owner_id, [one.id]), (zhang.owner_id, [one.id, uuid4()])):
        with pytest.raises(NotFound):
            queries.owned(session, owner, wanted)


def test_a_link_opens_one_file_for_five_minutes(session: Session, zhang: Citizen, citizen: People) -> None:
    stored, other = upload(session, zhang, papers.png()), upload(session, zhang, papers.jpeg())
    link = service.link(session, actor=zhang, file_id=stored.id)
    assert service.open_link(session, file_id=stored.id, token=link.token).stored.id == stored.id
    with pytest.raises(NotFound):
        service.open_link(session, file_id=other.id, token=link.token)
    other_end = "A" if link.token[-1] != "A" else "Q"
    for forged in ("", "x", link.token[:-1] + other_end, "9" * 10 + link.token[10:]):
        with pytest.raises(NotFound):
            service.open_link(session, file_id=stored.id, token=forged)
    with clock.shift(timedelta(minutes=5, seconds=1)), pytest.raises(NotFound):
        service.open_link(session, file_id=stored.id, token=link.token)
    stranger, _ = citizen(level=1)
    with pytest.raises(NotFound):
        service.link(session, actor=stranger, file_id=stored.id)


def test_files_follow_a_merged_person(session: Session, zhang: Citizen, citizen: People) -> None:
    kept, _ = citizen(level=1)
    stored = upload(session, zhang, papers.png())
    upload(session, kept, papers.png())
    service.move_owner(session, SubjectsMerged(kept=kept.owner_id, absorbed=zhang.owner_id))
    assert queries.owned(session, kept.owner_id, [stored.id])[0].uploaded_by == kept.subject_id


def test_unused_uploads_are_forgotten_after_thirty_days(database: Flask, zhang: Citizen) -> None:
    """P-6: what belongs to a matter stays, whatever its age."""
    matter = uuid4()
    with db.transaction() as session:
        unused, used = upload(session, zhang, papers.png()), upload(session, zhang, papers.jpeg())
        service.attach(session, owner_id=zhang.owner_id, file_ids=[used.id], matter_type="case", matter_id=matter)
        service.attach(session, owner_id=zhang.owner_id, file_ids=[used.id], matter_type="case", matter_id=matter)

    def left() -> list[Any]:
        with db.transaction() as session:
            return list(session.scalars(select(StoredFile.id).order_by(StoredFile.id)))

    with clock.shift(timedelta(days=29, hours=23)):
        jobs.purge_unused()
    assert left() == [unused.id, used.id]
    with clock.shift(timedelta(days=30, hours=1)):
        jobs.purge_unused()
        jobs.purge_unused()
    assert left() == [used.id]
    store = ports.get(FileStore)
    with pytest.raises(KeyError):
        store.get(service.storage_key(unused.id))
    assert service.content(used) == papers.jpeg()
    with db.transaction() as session:
        service.release(session, matter_type="case", matter_id=matter)
    with clock.shift(timedelta(days=31)):
        jobs.purge_unused()
    assert left() == []


def test_a_purge_that_died_is_finished_by_the_next(database: Flask, zhang: Citizen) -> None:
    with db.transaction() as session:
        stored = upload(session, zhang, papers.png())
        stored.deleted_at = clock.now()
    with db.transaction() as session, pytest.raises(NotFound):
        service.attach(session, owner_id=zhang.owner_id, file_ids=[stored.id], matter_type="case", matter_id=uuid4())
    jobs.purge_unused()
    with db.transaction() as session:
        assert session.get(StoredFile, stored.id) is None


def test_what_an_agency_opens_is_marked_and_the_mark_cannot_be_left_off(
    client: FlaskClient, sandbox: Sandbox, citizen: People, staff: People
) -> None:
    """DG-4: credit code, who of its people, and when; one's own files come as they are."""
    owner, owner_headers = citizen(level=3)
    head, head_headers = delegations.signed_in(sandbox, "li-na")
    role = delegations.represent(sandbox, head, "agency")
    manager, _ = staff("DEPARTMENT_MANAGER", department_id="D11")
    with db.transaction() as session:
        agency = delegations.acting_as(session, head, role)
        now = clock.now()
        counter.sign_contract(
            session,
            actor=manager,
            agency_id=agency.owner_id,
            number="甬代办2026-003",
            principals=3,
            valid_from=now,
            valid_until=now + timedelta(days=1),
        )
        row = delegations.delegate(
            session,
            owner,
            agency,
            items=[delegations.OTHER],
            actions=[Action.SUBMIT, Action.VIEW],
            kind=Kind.AGENCY,
        )
        grant = str(row.id)
    content = papers.jpeg()

    def opened(headers: dict[str, str]) -> tuple[str, bytes]:
        sent = {"file": (io.BytesIO(content), "id.jpg")}
        file_id = client.post("/api/v1/files", data=sent, headers=headers).get_json()["id"]
        address = client.get(f"/api/v1/files/{file_id}/link", headers=headers).get_json()["url"]
        answer = client.get(address)
        assert answer.status_code == 200
        return address, answer.data

    address, marked = opened({**head_headers, "X-Act-For": grant})
    asked = dict(parse_qsl(urlsplit(address).query))
    assert asked["mark"].startswith(f"{delegations.credit_code(sandbox, 'agency')} {head.subject_id.hex[-8:]} 20")
    assert marked != content
    assert marked.startswith(b"\xff\xd8\xff")
    bare = urlsplit(address).path
    for changed in ({"token": asked["token"]}, {**asked, "mark": "x"}):
        assert client.get(bare, query_string=changed).status_code == 404
    own_address, own = opened(owner_headers)
    assert "mark" not in own_address
    assert own == content
    own_token = dict(parse_qsl(urlsplit(own_address).query))["token"]
    assert client.get(urlsplit(own_address).path, query_string={"token": own_token, "mark": "x"}).status_code == 404
