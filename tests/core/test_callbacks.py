"""A callback is stored once per partner event, however often and however parallel it arrives."""

from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from core import callbacks, db
from core.callbacks import PartnerCallback


def test_fifty_parallel_arrivals_make_one_row(database: Flask) -> None:
    def arrive(_n: int) -> bool:
        with db.transaction() as session:
            return callbacks.store(session, partner="alipay", event_key="n1", body=b"b", content_type="x").first

    with ThreadPoolExecutor(16) as pool:
        firsts = list(pool.map(arrive, range(50)))
    assert firsts.count(True) == 1
    with db.transaction() as session:
        row = session.query(PartnerCallback).one()
        assert row.arrivals == 50


def test_partners_do_not_share_event_keys(database: Flask) -> None:
    with db.transaction() as session:
        one = callbacks.store(session, partner="a", event_key="n1", body=b"b", content_type="x")
        two = callbacks.store(session, partner="b", event_key="n1", body=b"b", content_type="x")
    assert one.first
    assert two.first
    assert one.id != two.id


def test_the_outcome_is_seen_by_the_next_arrival(database: Flask) -> None:
    with db.transaction() as session:
        first = callbacks.store(session, partner="a", event_key="n1", body=b"b", content_type="x")
        callbacks.finish(session, first.id, "DONE")
    with db.transaction() as session:
        again = callbacks.store(session, partner="a", event_key="n1", body=b"b", content_type="x")
    assert (again.first, again.state) == (False, "DONE")
