"""Asking for a correction, and for a decision to be explained (P-4).

states                    rules.TRANSITIONS
one open of a kind        models (unique index)
a registrar answers       service.take, service.answer
"""
