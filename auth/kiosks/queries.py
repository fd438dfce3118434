"""Reads of kiosks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.kiosks.models import Kiosk
from core.web.paging import Page, by_id


def page(session: Session, args: Mapping[str, Any]) -> Page[Kiosk]:
    """All kiosks, a page at a time, the newest first."""
    return by_id(session, select(Kiosk), Kiosk.id, args)
