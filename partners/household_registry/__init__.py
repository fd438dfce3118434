"""Household and birth data: whose child somebody is (our contract, see sandbox/README.md)."""
