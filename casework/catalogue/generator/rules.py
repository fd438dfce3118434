"""Making up items and service points. Pure: chance comes from the seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

_VOCABULARY = Path(__file__).resolve().parent / "vocabulary.txt"
_CITY, _CITY_CODE = "宁波市", "330200"
PREFIX = "SY-"
"""How the codes of made-up items begin; those of the sample catalogue begin with NB-."""
_TYPES = {"01": "行政许可", "05": "行政给付", "07": "行政确认", "10": "其他行政权力", "20": "公共服务"}
_SERVES = {"个人": ["自然人"], "企业": ["企业法人"], "组织": ["社会组织法人", "企业法人"]}
_DEPTHS = {
    "I": "I 网上查询",
    "II": "II 网上咨询、下载",
    "III": "III 网上申请预审,现场核验一次",
    "IV": "IV 全程网办",
}
_AT_ONCE = ("查询", "预约", "咨询", "撤回", "证明开具", "暂停", "恢复")
_MAY_COST = ("新办", "首次登记", "补证", "证书补发")
_PAPERS = (
    ("授权委托书", False, ""),
    ("营业执照", True, "BL"),
    ("经办人身份证明", True, "ID"),
    ("场所使用证明", False, ""),
    ("情况说明", False, ""),
    ("设施设备清单", False, ""),
    ("从业人员资格证明", True, "QUAL"),
    ("居民户口簿", True, "HK"),
    ("原证书原件", False, ""),
    ("银行账户信息", False, ""),
)
_PLACES = {
    "330203": (29.875, 121.551), "330205": (29.887, 121.555), "330206": (29.900, 121.844), "330211": (29.949, 121.716),
    "330212": (29.818, 121.546), "330213": (29.655, 121.407), "330225": (29.476, 121.869), "330226": (29.288, 121.429),
    "330281": (30.037, 121.154), "330282": (30.170, 121.266),
}  # fmt: skip
"""About the middle of each district, as latitude and longitude."""
_SPREAD = 0.13
_KINDS = (("TOWN", 150), ("TERMINAL", 320))
"""How many of the points of a real city are in towns, and how many machines there are; the rest is in villages."""
_CITY_POINTS = 3121
_TAKEN = {"TOWN": (60, 30), "VILLAGE": (15, 10), "TERMINAL": (12, 8)}
"""How many items all points of a kind and district take, and how many more one of them may."""


@dataclass(frozen=True, slots=True)
class _Matter:
    """A thing and what is done about it."""

    name: str
    department: str
    zone: str
    type_code: str
    serves: str


def _happens(chance: random.Random, share: float) -> bool:
    return chance.random() < share


@cache
def _vocabulary() -> tuple[dict[str, list[str]], list[tuple[list[str], list[str]]]]:
    """Families of actions and words of places by name; and what things are about, in rows."""
    words: dict[str, list[str]] = {}
    things: list[tuple[list[str], list[str]]] = []
    for line in _VOCABULARY.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        if " = " in line:
            name, listed = line.split(" = ")
            words[name] = listed.split()
        else:
            head, names = line.split(" : ")
            things.append((head.split(), names.split()))
    return words, things


def matters() -> list[_Matter]:
    """Every thing of the vocabulary with every action of its family."""
    families, things = _vocabulary()
    return [
        _Matter(action.replace("~", name), department, zone, type_code, serves)
        for (department, zone, type_code, family, serves), names in things
        for name, action in product(names, families[family])
    ]


def catalogue(lookups: Mapping[str, Any], *, items: int, seed: int, day: str) -> dict[str, Any]:
    """A document of `items` made-up items with these reference lists.

    Raises `ValueError` when the vocabulary doesn't have so many.
    """
    chance = random.Random(seed)  # noqa: S311  # made-up data, no secret
    places = [region["name"] for region in lookups["regions"]]
    places += [zone["name_2017"].split("(")[0].removeprefix("宁波") for zone in lookups["dev_zones"]]
    combinations = list(product(matters(), ["", *places]))
    if items > len(combinations):
        raise ValueError(f"there are at most {len(combinations)} items in the vocabulary")
    departments = {department["dept_id"]: department for department in lookups["departments"]}
    zones = {zone["zone_code"]: zone["name"] for zone in lookups["zones"]}
    licences = {licence["licence_key"]: licence["name"] for licence in lookups["licences"]}
    chosen = sorted(chance.sample(range(len(combinations)), items))
    rows = [
        _item(number, *combinations[index], departments, zones, licences, chance)
        for number, index in enumerate(chosen, 1)
    ]
    return {
        "schema_version": "1.0",
        "generated_on": day,
        "language": "zh-CN",
        "disclaimer": "合成数据,仅供测试;名称、时限、收费、地址均非真实。",
        "schema": {},
        "counts": {"items": items, "by_source": {"synthetic": items}},
        "lookups": dict(lookups),
        "items": rows,
    }


def _item(
    number: int,
    matter: _Matter,
    place: str,
    departments: Mapping[str, Mapping[str, str]],
    zones: Mapping[str, str],
    licences: Mapping[str, str],
    chance: random.Random,
) -> dict[str, Any]:
    department = departments[matter.department]
    authority = department["name_now"].split(";")[0]
    at_once = matter.name.endswith(_AT_ONCE)
    legal = 0 if at_once else chance.choice((10, 15, 20, 30, 45))
    promised = 0 if at_once else max(1, legal // chance.choice((2, 3, 4)))
    fee = chance.choice((1000, 2000, 5000)) if matter.name.endswith(_MAY_COST) and _happens(chance, 0.2) else 0
    depth = chance.choice(("III", "IV", "IV") if at_once else ("I", "II", "III", "III", "IV"))
    hot = _happens(chance, 0.04)
    bookable, deliverable = hot or _happens(chance, 0.7), hot or _happens(chance, 0.5)
    at = f"{_CITY}{place or '鄞州区'}"
    return {
        "item_id": f"{PREFIX}{number:06d}",
        "name": f"{matter.name}({place})" if place else matter.name,
        "zone_code": matter.zone,
        "zone_name": zones[matter.zone],
        "authority_2017": department["name_2017"],
        "authority_now": authority.replace(_CITY, f"{_CITY}{place}", 1),
        "catalog_code": f"SAMPLESY{number:06d}",
        "task_code": f"SAMPLE-SY-{number:06d}",
        "item_type_code": matter.type_code,
        "item_type": _TYPES[matter.type_code],
        "case_type_code": "1" if at_once else "2",
        "case_type": "即办件" if at_once else "承诺件",
        "use_level": "县级" if place else "市级",
        "service_objects": _SERVES[matter.serves],
        "legal_basis": [{"name": "合成依据,仅供测试", "clause": ""}],
        "legal_limit": {"value": legal, "unit": "WORKDAY", "note": ""},
        "promised_limit": {"value": promised, "unit": "WORKDAY", "note": ""},
        "conditions": "属于本机关职权范围;申请材料齐全、符合法定形式。",
        "materials": _papers(matter.name, licences, chance),
        "fee": {"is_fee": fee > 0, "pay_online": fee > 0, "lines": _fee(fee)},
        "process_steps": ["申请", "受理", "审查", "决定", "送达"],
        "special_procedures": "",
        "result_name": f"{matter.name}结果",
        "result_carrier": chance.choice(("纸质", "电子", "纸质或电子")),
        "channels": ["窗口", "电脑端", "移动端"],
        "online_depth": depth,
        "online_depth_note": _DEPTHS[depth],
        "trips_to_hall": 0 if depth == "IV" else 1,
        "bookable": bookable,
        "pre_review": not at_once,
        "deliverable": deliverable,
        "avg_handle_minutes": chance.choice((5, 10, 15, 20, 30)),
        "original_return_required": matter.name.endswith("注销"),
        "biometric_on_site": "",
        "agent_allowed": True,
        "agent_friendly": False,
        "minor_rule": "",
        "min_auth_level": chance.choice((2, 2, 3)),
        "joint_topics": [],
        "address": f"{at}行政服务中心(合成地址)",
        "hours": "周一至周五 9:00-12:00,13:30-17:00(法定节假日按国家规定)",
        "consult": "12345(外地拨0574-12345)",
        "supervise": "12345",
        "seed_fact": "",
        "hot": hot,
        "confidence": {"legal_limit": "synthetic", "promised_limit": "synthetic", "fee": "synthetic"},
        "source": {"kind": "synthetic", "ref": "generator", "covers": []},
    }


def _papers(name: str, licences: Mapping[str, str], chance: random.Random) -> list[dict[str, Any]]:
    chosen = [(f"{name}申请表", False, ""), *chance.sample(_PAPERS, chance.randint(1, 5))]
    return [
        {
            "material_no": no,
            "name": paper,
            "necessity": "必要" if no <= 2 or _happens(chance, 0.7) else "非必要(情形触发)",
            "origin": "政府部门核发" if waivable else "申请人自备",
            "form": chance.choice(("纸质", "电子", "纸质或电子")),
            "copies": 1,
            "waivable": waivable,
            "licence_key": licence,
            "licence_name": licences[licence] if licence else "",
            "tolerable_defect": not waivable and no > 2 and _happens(chance, 0.2),
        }
        for no, (paper, waivable, licence) in enumerate(chosen, 1)
    ]


def _fee(amount: int) -> list[dict[str, Any]]:
    if not amount:
        return []
    line = {"name": "工本费(合成)", "amount_cents": amount, "formula": "", "unit": "本"}
    return [line | {"basis": "合成依据,仅供测试", "prepayable": True, "payee": "财政非税账户"}]


def points(
    regions: Sequence[Mapping[str, Any]], *, count: int, seed: int, items: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """A document of `count` made-up service points in these districts (S31); coordinates are GCJ-02.

    `items`: those of a document of items; each point takes some of them, as points of its kind and district do.
    """
    chance = random.Random(seed)  # noqa: S311  # made-up data, no secret
    made = [_point(number, kind, regions, chance) for number, kind in enumerate(_kinds(count), 1)]
    if items:
        names = [region["name"] for region in regions]
        offers = {region["code"]: _Offer(region["name"], names, items, chance) for region in regions}
        made = [point | {"items": offers[point["region_code"]].some(point["kind"], chance)} for point in made]
    return {
        "schema_version": "1.0",
        "disclaimer": "合成数据,仅供测试;名称、地址、坐标、电话均非真实。",
        "coordinate_system": "GCJ-02",
        "points": made,
    }


class _Offer:
    """What points of a district take: people's matters of the city and of the district itself, most of it in common."""

    def __init__(
        self, name: str, names: Sequence[str], items: Sequence[Mapping[str, Any]], chance: random.Random
    ) -> None:
        others = tuple(other for other in names if other != name)
        near = [
            item
            for item in items
            if "自然人" in item["service_objects"] and not any(other in item["authority_now"] for other in others)
        ]
        at_once = [item for item in near if item["case_type_code"] == "1"]
        self._common: dict[str, list[str]] = {}
        self._others: dict[str, list[str]] = {}
        for kind, (common, _) in _TAKEN.items():
            codes = [item["item_id"] for item in (at_once if kind == "TERMINAL" else near)]
            chance.shuffle(codes)
            self._common[kind], self._others[kind] = codes[:common], codes[common:]

    def some(self, kind: str, chance: random.Random) -> list[str]:
        """The items of one point, by code."""
        more = chance.randint(0, _TAKEN[kind][1])
        return sorted(self._common[kind] + chance.sample(self._others[kind], min(more, len(self._others[kind]))))


def _kinds(count: int) -> Iterator[str]:
    left = count
    for kind, of_the_city in _KINDS:
        share = count * of_the_city // _CITY_POINTS
        yield from [kind] * share
        left -= share
    yield from ["VILLAGE"] * left


def _point(number: int, kind: str, regions: Sequence[Mapping[str, Any]], chance: random.Random) -> dict[str, Any]:
    words, _ = _vocabulary()
    region = chance.choice(regions)
    town = chance.choice(words["towns"]) + chance.choice(("镇", "镇", "街道"))
    village = f"{chance.choice(words['villages'])}{chance.choice(words['village_ends'])}村"
    name = {
        "TOWN": f"{town}便民服务中心",
        "VILLAGE": f"{town}{village}便民服务站",
        "TERMINAL": f"{town}{village}自助服务终端",
    }[kind]
    latitude, longitude = _PLACES[region["code"]]
    return {
        "code": f"SY-{region['code']}-{number:05d}",
        "name": f"{name}({number})",
        "kind": kind,
        "region_code": region["code"],
        "address": f"{_CITY}{region['name']}{town}{'' if kind == 'TOWN' else village}{chance.randint(1, 300)}号(合成地址)",
        "latitude": round(chance.gauss(latitude, _SPREAD / 2), 6),
        "longitude": round(chance.gauss(longitude, _SPREAD / 2), 6),
        "phone": "0574-12345",
        "accessible": _happens(chance, 0.6),
        "sample": True,
        "hours": _hours(kind),
    }


def _hours(kind: str) -> list[dict[str, Any]]:
    if kind == "TERMINAL":
        return [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "periods": [["00:00", "24:00"]]}]
    return [{"weekdays": [1, 2, 3, 4, 5], "periods": [["08:30", "11:30"], ["13:30", "17:00"]]}]
