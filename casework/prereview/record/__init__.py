"""The record of a pre-review, whoever acts: moves with their history, findings for supervision, messages, erasure."""
