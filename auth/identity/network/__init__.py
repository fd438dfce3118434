"""The national network identity service (网证): a check in its own app, fetched by us from the service (3.7)."""
