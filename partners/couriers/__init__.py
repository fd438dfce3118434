"""Carriers, through 快递100 (PROTOCOLS 4.2)."""
