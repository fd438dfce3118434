"""Forgetting who a subject was when its person closes the account (P-4). See `auth.personal_data.closing`."""
