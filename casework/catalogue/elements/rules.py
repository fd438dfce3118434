"""The elements as they are read. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.workdays import Unit


class ServeScope(StrEnum):
    """通办范围: where else the item may be handled. CITY is 全市通办; "" isn't said."""

    UNSAID = ""
    CITY = "CITY"
    CROSS_COUNTY = "CROSS_COUNTY"
    CROSS_CITY = "CROSS_CITY"
    CROSS_PROVINCE = "CROSS_PROVINCE"
    NATIONAL = "NATIONAL"


USE_LEVELS = {
    "1": "国家级",
    "2": "省级",
    "3": "市级",
    "4": "县级",
    "5": "镇（乡、街道）级",
    "6": "村（社区）级",
    "7": "分级",
}
"""行使层级 (A.2)."""
AUTHORITY_TYPES = {"1": "法定机关", "2": "授权组织", "3": "受委托组织", "9": "其他"}
"""实施主体性质 (A.3)."""
POWER_SOURCES = {
    "1": "法定本级行使", "2": "上级下放", "3": "上级授权", "4": "同级授权", "5": "上级委托", "6": "同级委托",
}  # fmt: skip
"""权力来源."""
HANDLE_FORMS = {"1": "窗口办理", "2": "电脑端网上办理", "3": "移动端网上办理", "4": "快递申请", "9": "其他"}
"""办理形式 (A.5)."""
ONLINE_DEPTHS = {
    "1": "互联网咨询", "2": "收件", "3": "预审", "4": "受理", "5": "办理", "6": "结果信息反馈", "7": "电子证照反馈",
    "8": "其他", "9": "其他",
}  # fmt: skip
"""网上办理深度: a list, not a ladder."""


@dataclass(frozen=True, slots=True)
class SubItem:
    """业务办理项: one of the ways an item is handled, with a code of its own (S21)."""

    no: int
    code: str
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class Step:
    """办理流程: who does what, within how many working days (None: not said), by which standard, with which result."""

    no: int
    name: str
    owner: str
    days: int | None
    standard: str
    result: str


@dataclass(frozen=True, slots=True)
class SpecialProcedure:
    """特别程序: its length, its law, and whether it counts in the legal limit."""

    no: int
    name: str
    days: int | None
    unit: Unit
    law: str
    is_fee: bool
    counted: bool


@dataclass(frozen=True, slots=True)
class ResultSample:
    """结果样本: what it shows and where it is kept."""

    no: int
    name: str
    file: str


@dataclass(frozen=True, slots=True)
class CommonQuestion:
    """常见问题."""

    no: int
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements of one version; "" and () are not said. `paused`: 暂停办理, nothing can be begun; `pause_reason` says why."""

    local_catalog_code: str = ""
    local_task_code: str = ""
    handle_item_code: str = ""
    authority_code: str = ""
    authority_type: str = ""
    power_source: str = ""
    use_levels: tuple[str, ...] = ()
    joint_departments: tuple[str, ...] = ()
    intermediary: str = ""
    quantity_limit: str = ""
    result_type: str = ""
    fee_basis: str = ""
    handle_forms: tuple[str, ...] = ()
    online_depths: tuple[str, ...] = ()
    trips_reason: str = ""
    online: bool = False
    self_service: bool = False
    in_hall: bool = True
    daily_bookings: int | None = None
    booking_rule: str = ""
    serve_scope: ServeScope = ServeScope.UNSAID
    mobile_url: str = ""
    mobile_single_sign_on: bool = False
    paused: bool = False
    pause_reason: str = ""
    sub_items: tuple[SubItem, ...] = ()
    steps: tuple[Step, ...] = ()
    special_procedure_rows: tuple[SpecialProcedure, ...] = ()
    result_samples: tuple[ResultSample, ...] = ()
    common_questions: tuple[CommonQuestion, ...] = ()
