"""A person's documents over time: replaced passports, numbers issued twice (DG-7, PEERS 4.2)."""
