"""How measured durations look in a guide."""

from __future__ import annotations

import marshmallow as ma
from marshmallow.validate import OneOf

from core.workdays import Unit


class HallDurationOut(ma.Schema):
    """How long it took in one hall; the list begins with the quickest."""

    hall_id = ma.fields.UUID(required=True)
    name = ma.fields.String(required=True)
    p50 = ma.fields.Integer(required=True)
    p90 = ma.fields.Integer(required=True)
    cases = ma.fields.Integer(required=True)


class MeasuredDurationOut(ma.Schema):
    """How long it really took lately: half of the cases at most `p50` working days, nine in ten at most `p90`.

    Not `enough`: too few cases to tell, and the figures are null. Halls are those with enough cases of their own.
    """

    unit = ma.fields.String(required=True, validate=OneOf([Unit.WORKDAY.value]))
    window_days = ma.fields.Integer(required=True)
    enough = ma.fields.Boolean(required=True)
    p50 = ma.fields.Integer(required=True, allow_none=True)
    p90 = ma.fields.Integer(required=True, allow_none=True)
    cases = ma.fields.Integer(required=True, allow_none=True)
    text = ma.fields.String(required=True)
    halls = ma.fields.List(ma.fields.Nested(HallDurationOut), required=True)
