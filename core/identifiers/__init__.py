"""Identity documents, credit codes, phone numbers and names: reading what people type (PROTOCOLS 6, N28, N29)."""
