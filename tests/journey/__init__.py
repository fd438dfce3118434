"""The main story over HTTP: `make journey` tells it, the chaos and log tests use it."""
