"""What organisations tell a person about themselves, and do when they close the account (P-4)."""
