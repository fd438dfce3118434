"""Refusals about acting for another."""

from __future__ import annotations

from core.errors import Problem


class DelegationRevoked(Problem):
    """The delegation was revoked, given up, has run out, or the child is of age now (DG-1, DG-5)."""

    code, status = "DELEGATION_REVOKED", 403
    zh = "委托已失效。已经办完的事项不受影响，继续办理请由本人办理或重新委托"
    en = "The delegation has ended. What was done stands; to go on, the person must act or delegate again"


class GuardianRequired(Problem):
    """A minor can't do this alone (DG-5)."""

    code, status = "GUARDIAN_REQUIRED", 403
    zh = "未成年人办理此事须由监护人代办，年满8周岁的也可以由监护人同意后办理"
    en = "A guardian must do this for a minor; from the age of 8, or agree to it"


class GuardianshipDisputed(Problem):
    """Whose child it is, is in dispute: only a counter can help (DG-5)."""

    code, status = "GUARDIANSHIP_DISPUTED", 403
    zh = "监护关系存在争议，请携带身份证件和有关文书到政务服务大厅窗口办理"
    en = "The guardianship is in dispute; please come to a service hall with your documents"


class GuardianNotConfirmed(Problem):
    """The household or birth data don't show this guardian; paper can be shown at a counter (DG-5)."""

    code, status = "GUARDIAN_NOT_CONFIRMED", 409
    zh = "户籍或出生登记信息中没有核实到监护关系，请携带户口簿或出生医学证明到政务服务大厅窗口办理"
    en = "The household and birth data don't confirm that you are the guardian; please show the documents at a service hall"


class DelegationLimit(Problem):
    """This agent acts for as many people as one may (DG-4)."""

    code, status = "DELEGATION_LIMIT", 409
    zh = "代办人代办的人数已达上限（{limit} 人）。此限制用于防止有偿倒号，专业机构请与市政务服务办签订代办合同"
    en = "This agent acts for {limit} people already, which is the most; it keeps paid queue-jumpers out. Agencies need a contract"


class DelegationConflict(Problem):
    """A member of staff can't act for others in matters of the own hall, nor officially for oneself."""

    code, status = "DELEGATION_CONFLICT", 403
    zh = "您是该大厅的工作人员，不能在本大厅为他人代办，请委托他人办理"
    en = "You work at this hall and can't act for others here; please let somebody else act"


class DelegationCodeWrong(Problem):
    """The code is wrong, has run out or was used. One answer for all."""

    code, status = "DELEGATION_CODE_WRONG", 422
    zh, en = "代办码或验证码不正确，或已失效", "The code is wrong or has expired"
