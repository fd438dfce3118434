"""What accounts tell a person about themselves (P-4). See `auth.personal_data`."""
