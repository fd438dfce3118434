"""Transactions commit once or not at all; encrypted columns hold cipher text."""

import pytest
from flask import Flask
from sqlalchemy import text

from core import callbacks, db, security
from core.callbacks import PartnerCallback
from core.crypto import DecryptionFailed


def _store(key: str) -> None:
    with db.transaction() as session:
        callbacks.store(session, partner="test", event_key=key, body=b"\x00raw", content_type="x")


def _count() -> int:
    with db.transaction() as session:
        return int(session.execute(text("SELECT count(*) FROM partner_callback")).scalar_one())


def test_an_exception_rolls_everything_back(database: Flask) -> None:
    with pytest.raises(RuntimeError), db.transaction() as session:
        callbacks.store(session, partner="test", event_key="1", body=b"raw", content_type="x")
        raise RuntimeError
    assert _count() == 0


def test_a_joined_transaction_is_committed_by_its_opener(database: Flask) -> None:
    with pytest.raises(RuntimeError), db.transaction() as outer, db.join(outer):
        _store("1")
        raise RuntimeError
    assert _count() == 0
    with db.transaction() as outer, db.join(outer):
        _store("1")
    assert _count() == 1


def test_encrypted_columns_hold_cipher_text_bound_to_their_column(database: Flask) -> None:
    _store("1")
    with db.transaction() as session:
        raw = bytes(session.execute(text("SELECT body FROM partner_callback")).scalar_one())
        row = session.query(PartnerCallback).one()
        assert callbacks.get(session, row.id) == ("test", b"\x00raw")
    assert row.body.encode() not in raw
    with pytest.raises(DecryptionFailed):
        security.decrypt(raw, "other.column")


def test_lookup_hashes_differ_by_kind(database: Flask) -> None:
    assert security.lookup("phone", "1") == security.lookup("phone", "1")
    assert security.lookup("phone", "1") != security.lookup("openid", "1")
