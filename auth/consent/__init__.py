"""Consents that must be separate (P-1, P-2): which text, when, on which channel, and when withdrawn.

one standing consent of a kind        models.Consent (unique index), service.give
withdrawing is as easy as giving      service.withdraw
refusing closes nothing by itself     nothing here is asked at sign-in; features that need one ask queries.has_given
"""
