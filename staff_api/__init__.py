"""What a clerk may call: one module per capability, blueprint and wire schemas together; no rules here."""
