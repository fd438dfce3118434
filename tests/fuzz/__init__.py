"""Requests made up from the contract (schemathesis), for a bounded time: `make fuzz`."""
