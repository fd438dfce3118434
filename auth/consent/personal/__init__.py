"""What consent tells a person about themselves, and does when they close the account (P-4)."""
