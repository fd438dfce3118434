"""The local stack: what `make run` starts on one machine, and the servers that the tests use."""
