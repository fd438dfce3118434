"""Addresses and the provider's description of itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from auth.oidc.clients.rules import CLIENT_ALGORITHMS, SCOPES, AuthMethod
from auth.oidc.consents.rules import Field
from auth.oidc.grants.rules import ACR_VALUES
from auth.oidc.interactions.rules import Prompt
from auth.oidc.keys.rules import ALGORITHMS

AUTHORIZE = "/oidc/authorize"
TOKEN = "/oidc/token"  # noqa: S105  # an address
USERINFO = "/oidc/userinfo"
JWKS = "/oidc/jwks"
INTROSPECT = "/oidc/introspect"
REVOKE = "/oidc/revoke"
LOGOUT = "/oidc/logout"

# An assertion is made for one request: a longer life only makes the replay store longer [D].
LONGEST_ASSERTION = timedelta(minutes=30)
LEEWAY_SECONDS = 30
_STANDARD_CLAIMS = ("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "sid")


@dataclass(frozen=True, slots=True)
class Asked:
    """A POST to one of the endpoints, free of any framework: `headers` by name in lower case, `form` with every value of a field."""

    path: str
    headers: dict[str, str] = field(repr=False)
    form: dict[str, list[str]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: status, JSON members, headers."""

    status: int
    body: dict[str, Any] = field(repr=False)
    headers: list[tuple[str, str]]


def metadata(issuer: str) -> dict[str, Any]:
    """The provider's description of itself (OpenID Connect Discovery 1.0, 3; RFC 8414, 9207)."""
    secrets = [AuthMethod.SECRET_BASIC, AuthMethod.SECRET_POST, AuthMethod.PRIVATE_KEY_JWT]
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORIZE,
        "token_endpoint": issuer + TOKEN,
        "userinfo_endpoint": issuer + USERINFO,
        "jwks_uri": issuer + JWKS,
        "introspection_endpoint": issuer + INTROSPECT,
        "revocation_endpoint": issuer + REVOKE,
        "end_session_endpoint": issuer + LOGOUT,
        "scopes_supported": list(SCOPES),
        "claims_supported": [*_STANDARD_CLAIMS, *(member.value for member in Field), "phone_number_verified"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["pairwise"],
        "acr_values_supported": list(ACR_VALUES),
        "prompt_values_supported": [prompt.value for prompt in Prompt],
        "ui_locales_supported": ["zh-CN", "en"],
        "display_values_supported": ["page"],
        "claim_types_supported": ["normal"],
        "id_token_signing_alg_values_supported": ALGORITHMS,
        "token_endpoint_auth_methods_supported": [*secrets, AuthMethod.NONE],
        "token_endpoint_auth_signing_alg_values_supported": list(CLIENT_ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": secrets,
        "introspection_endpoint_auth_signing_alg_values_supported": list(CLIENT_ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": [*secrets, AuthMethod.NONE],
        "revocation_endpoint_auth_signing_alg_values_supported": list(CLIENT_ALGORITHMS),
        "code_challenge_methods_supported": ["S256"],
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": False,
        "service_documentation": issuer + "/docs",
    }
