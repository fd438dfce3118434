"""See `auth.oidc`."""
