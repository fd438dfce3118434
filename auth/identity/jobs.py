"""Forgetting proofs and signals that are over (P-6)."""

from __future__ import annotations

from auth.identity.evidence import service as evidence
from auth.identity.reviews import service as reviews
from auth.identity.signals import service as signals
from core import jobs, retention


@jobs.every("5 20 * * *", "identity.forget_old")
def forget_old() -> None:
    """At 04:05 in Shanghai; reviews first, which hold on to their attempts."""
    retention.run("identity_reviews", reviews.forget)
    retention.run("identity_attempts", evidence.forget_attempts)
    retention.run("identity_evidence", evidence.forget_ended)
    retention.run("identity_signals", signals.forget_unknown)
