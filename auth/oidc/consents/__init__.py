"""Which client may see which fields of a person: asked once for exactly these fields, listed and withdrawn at any time (P-1).

scopes to fields to claims             rules.FIELDS_OF_SCOPE, rules.Field
asked again for more or another text   rules.missing
withdrawing kills the client's tokens  service.withdraw, auth.oidc.logout.service.on_consent_withdrawn
"""
