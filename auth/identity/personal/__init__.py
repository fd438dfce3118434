"""What identity tells a person about themselves, and forgets when they close the account (P-4)."""
