"""Refusals of the registry."""

from __future__ import annotations

from core.errors import Problem


class ClientExists(Problem):
    """The client_id is taken; a disabled client keeps its name."""

    code, status = "OIDC_CLIENT_EXISTS", 409
    zh, en = "该应用编号已被登记", "This client_id is registered already"
