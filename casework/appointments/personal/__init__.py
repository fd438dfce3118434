"""What appointments tell a person about themselves, and forget when they close the account (P-4)."""
