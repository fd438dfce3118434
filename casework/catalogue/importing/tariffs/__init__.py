"""Which lines of the tariff hold in which situation, for documents that can't say it → `rules`."""
