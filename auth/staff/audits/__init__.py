"""Reading the audit log (2.7): the audit administrator reads, and nobody else; the reading is a row of it."""
