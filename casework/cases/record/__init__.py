"""The record of a case, whoever acts: moves with their history, the due dates, messages."""
