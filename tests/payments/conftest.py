"""One payer with one bill."""

from collections.abc import Callable
from typing import Any

import pytest

from core.actors import Citizen
from core.db import transaction
from payments.bills.queries import Bill
from tests.factories import payments as make
from tests.sandbox_client import Sandbox


@pytest.fixture
def payer(citizen: Callable[..., Any], sandbox: Sandbox) -> Citizen:
    """Somebody who may pay, at a clean sandbox."""
    actor: Citizen = citizen()[0]
    return actor


@pytest.fixture
def bill(payer: Citizen) -> Bill:
    """The payer's bill of 90.00 yuan."""
    with transaction() as session:
        return make.issue(session, payer.subject_id)
