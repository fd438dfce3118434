"""Why a number or name that somebody typed was refused."""

from __future__ import annotations

from enum import StrEnum

from core.errors import InvalidInput


class Reason(StrEnum):
    """The fault, stable for programs: it is the message under the field in the error answer."""

    EMPTY = "EMPTY"
    LENGTH = "LENGTH"
    CHARACTERS = "CHARACTERS"
    CHECKSUM = "CHECKSUM"
    REGION = "REGION"
    BIRTH_DATE = "BIRTH_DATE"
    LEGACY_NUMBER = "LEGACY_NUMBER"
    DOTS = "DOTS"
    COUNTRY_CODE = "COUNTRY_CODE"
    NOT_MOBILE = "NOT_MOBILE"
    MACHINE_NUMBER = "MACHINE_NUMBER"
    OTHER_KIND = "OTHER_KIND"
    DATE = "DATE"


_SENTENCES = {
    Reason.EMPTY: ("请填写此项", "This can't be left empty"),
    Reason.LENGTH: ("位数不正确，请核对", "The number of characters is wrong; please check"),
    Reason.CHARACTERS: ("含有不允许的字符，请核对", "It contains characters that are not allowed; please check"),
    Reason.CHECKSUM: (
        "号码有误（校验位不符），请逐位核对",
        "The check digit doesn't match; please compare digit by digit",
    ),
    Reason.REGION: ("号码开头的地区代码不正确，请核对", "The region code at the beginning is wrong; please check"),
    Reason.BIRTH_DATE: ("号码中的出生日期不存在，请核对", "The birth date in the number doesn't exist; please check"),
    Reason.LEGACY_NUMBER: (
        "15位身份证号已停用，请填写18位号码",
        "15-digit ID numbers are no longer valid; please use the 18-digit number",
    ),
    Reason.DOTS: ("姓名中的间隔点位置不正确，请核对", "The dot in the name is in the wrong place; please check"),
    Reason.COUNTRY_CODE: (
        "请填写11位手机号，境外号码请以“+”和国家（地区）代码开头",
        "Give an 11-digit mainland mobile number, or start with + and the country code",
    ),
    Reason.NOT_MOBILE: ("请填写手机号码", "Please give a mobile number"),
    Reason.MACHINE_NUMBER: (
        "该号码不能接收短信，请换一个手机号",
        "This number can't receive messages; please use another",
    ),
    Reason.OTHER_KIND: (
        "这是另一类编号，请核对编号类型",
        "This is another kind of number; please check which one is asked for",
    ),
    Reason.DATE: ("编号中的日期不存在，请核对", "The date in the number doesn't exist; please check"),
}


class IdentifierError(InvalidInput):
    """What was typed into `field` can't be right, and `reason` says why. Never carries the value itself."""

    def __init__(self, reason: Reason, field: str) -> None:
        super().__init__(fields={field: (reason.value,)})
        self.reason = reason
        self.field = field

    def sentence(self, language: str) -> str:
        """What the person can do about it."""
        zh, en = _SENTENCES[self.reason]
        return en if language == "en" else zh
