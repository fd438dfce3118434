"""Refusals about organisations."""

from __future__ import annotations

from core.errors import Problem


class RepresentativeNotConfirmed(Problem):
    """The registry knows no such organisation, or another representative: not told apart, so nobody is found out."""

    code, status = "REPRESENTATIVE_NOT_CONFIRMED", 409
    zh = "市场主体登记信息中没有核实到您是该单位的法定代表人，请核对统一社会信用代码；刚变更登记的，请次日再试"
    en = "The register doesn't confirm you as legal representative of this organisation; check the code, after a change try tomorrow"


class OrganisationClosed(Problem):
    """The organisation was deregistered."""

    code, status = "ORGANISATION_CLOSED", 409
    zh, en = (
        "该单位已注销登记，不能再以其名义办事",
        "This organisation was deregistered; nobody can act for it any more",
    )


class RoleLimit(Problem):
    """This person acts for as many organisations as one may."""

    code, status = "ROLE_LIMIT", 409
    zh = "一人最多可为 {limit} 家单位办事，已达上限"
    en = "One person may act for at most {limit} organisations"
