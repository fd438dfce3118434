"""The published vectors of PKCE and key thumbprints, for the libraries that the provider stands on (PROTOCOLS 7)."""

import json
from pathlib import Path
from typing import Any

import pytest
from authlib.oauth2.rfc7636 import (
    CodeChallenge,
    create_s256_code_challenge,
)
from joserfc.jwk import RSAKey

_FILE = Path(__file__).parents[2] / "data" / "vectors.json"
VECTORS: dict[str, dict[str, Any]] = {
    vector["id"]: vector for vector in json.loads(_FILE.read_text())["vectors"] if vector["area"] == "oidc"
}


def test_none_of_the_area_is_left_out() -> None:
    assert set(VECTORS) == {"pkce.s256", "jwk.thumbprint"}


def test_pkce_s256() -> None:
    vector = VECTORS["pkce.s256"]
    assert create_s256_code_challenge(vector["input"]["code_verifier"]) == vector["expected"]["code_challenge"]


def test_the_provider_compares_s256() -> None:
    verifier = VECTORS["pkce.s256"]["input"]["code_verifier"]
    compare = CodeChallenge.CODE_CHALLENGE_METHODS["S256"]
    assert compare(verifier, VECTORS["pkce.s256"]["expected"]["code_challenge"])
    assert not compare(verifier + "x", VECTORS["pkce.s256"]["expected"]["code_challenge"])


@pytest.mark.parametrize("more", [{}, {"alg": "RS256", "kid": "2011-04-29"}])
def test_jwk_thumbprint(more: dict[str, str]) -> None:
    """As keys.service names its keys; members that are not required don't change it."""
    vector = VECTORS["jwk.thumbprint"]
    assert RSAKey.import_key({**vector["input"]["jwk"], **more}).thumbprint() == vector["expected"]["thumbprint"]
