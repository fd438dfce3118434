"""The record of a shipment, whoever acts: moves with their history, flags for a person, messages."""
