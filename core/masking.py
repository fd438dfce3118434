"""Masking of personal data for output (P-7), and the scrubbing of free text for logs and tickets (2.7, HL-6).

The `mask_…` functions know what they are given. `scrub` doesn't: it finds ID numbers, mainland mobiles and secrets in
any text; names and addresses can't be found that way and must not be put into such text at all.
"""

from __future__ import annotations

import re
from datetime import date

from core.identifiers.credit_code import has_valid_check

_STARS = "****"

# Surnames of two characters, one after another; all other Chinese names begin with a surname of one.
_COMPOUNDS = (
    "欧阳司马上官诸葛东方皇甫尉迟公孙慕容长孙宇文司徒司空夏侯令狐轩辕鲜于闾丘澹台公冶宗政濮阳淳于单于太叔申屠仲孙钟离赫连"
    "呼延南宫西门百里独孤端木第五东郭公羊公西谷梁即墨梁丘漆雕壤驷拓跋完颜乐正万俟微生巫马闻人叶赫左丘"
    "歐陽司馬諸葛尉遲東方公孫長孫獨孤鍾離單于鮮于東郭聞人萬俟"
)
_COMPOUND_SURNAMES = frozenset(_COMPOUNDS[i : i + 2] for i in range(0, len(_COMPOUNDS), 2))

_WHOLE_NUMBER = 15
_LONG_NUMBER = 8
_SHORT_NUMBER = 4
_LONG_SECRET = 20


def mask_name(name: str) -> str:
    """A name with its given part hidden: 张*, 王*明, 欧阳*明, 古***·***, J*** S**** (P-7)."""
    if "·" in name:
        first, *others = name.split("·")
        return "·".join([first[:1] + "*" * (len(first) - 1), *("*" * len(part) for part in others)])
    if name.isascii() or name[0] < "\u2e80":
        return re.sub(r"(\w)([\w'-]*)", lambda word: (word[1] + "*" * len(word[2])) if word[2] else "*", name)
    if len(name) == 1:
        return "*"
    surname = 2 if len(name) > 2 and name[:2] in _COMPOUND_SURNAMES else 1
    if len(name) == surname + 1:
        return name[:surname] + "*"
    return name[:surname] + "*" * (len(name) - surname - 1) + name[-1]


def mask_document(number: str) -> str:
    """An identity document's number: first and last four of a long one (3302**********1234), less of a shorter one."""
    keep = 4 if len(number) >= _WHOLE_NUMBER else 2 if len(number) >= _LONG_NUMBER else 1
    if len(number) < _SHORT_NUMBER:
        return "*" * len(number)
    return number[:keep] + "*" * (len(number) - 2 * keep) + number[-keep:]


def mask_phone(phone: str) -> str:
    """A phone number, national or E.164: 138****1234; +852****4567 for others than the mainland's."""
    national = phone.removeprefix("+86")
    if len(national) < _LONG_NUMBER:
        return "*" * len(national)
    keep = 4 if national[0] in "+0" else 3
    # Short foreign numbers show less at the end, so that at least four digits stay hidden.
    tail = min(4, len(national) - keep - 4)
    return national[:keep] + _STARS + (national[-tail:] if tail > 0 else "")


# Province, city, district; then a street office or town, else a road. 小区, 社区 and 园区 are no districts.
_ADDRESS = re.compile(
    r"(?:[^省市区县]{2,8}?(?:省|自治区|特别行政区))?"
    r"(?:[^市区县]{1,8}?(?:市|自治州|地区|盟))?"
    r"(?:[^区县市街路道]{1,6}?(?:(?<![小社园])区|县|市|旗))?"
    r"(?:[^街号0-9]{1,6}?(?:街道|镇|乡)|[^路街道巷弄号0-9]{1,12}?(?:大道|大街|路|街|巷|弄|道))?"
)


def mask_address(address: str) -> str:
    """An address down to the street, without house and room: 浙江省宁波市鄞州区首南街道**** (P-7)."""
    found = _ADDRESS.match(address)
    shown = found.group() if found else ""
    return shown if shown == address else shown + _STARS


def mask_secret(value: str) -> str:
    """An openid, token or other secret: its first four characters if it is long, else nothing of it."""
    return value[:4] + _STARS if len(value) >= _LONG_SECRET else _STARS


# One pass over the text; the first alternative that fits at a place wins. UUIDs and hex digests come first and stay, so
# that runs of digits inside them are no phone numbers.
_SUSPECT = re.compile(
    r"""
      (?P<keep>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9A-Za-z])
             |(?<![0-9A-Za-z])(?=[0-9]*[a-f])[0-9a-f]{24,}(?![0-9A-Za-z]))
    | (?P<label>(?i:bearer\s+|authorization["']?\s*[=:]\s*["']?(?:basic\s+)?
             |(?:token|secret|password|session_?key)["']?\s*[=:]\s*["']?))
      (?P<secret>[\w.~+/=%-]{8,})
    | (?P<jwt>eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)*)
    | (?P<opaque>(?<![\w-])(?=[\w-]*[0-9])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[A-Za-z0-9_-]{40,}(?![\w-]))
    | (?P<phone>(?<!\d)(?P<country>(?:00)?86[ -]?)?[1１][3-9３-９]\d[ -]?\d{4}[ -]?\d{4}(?!\d))
    | (?P<id>(?<!\d)\d{6}[ -]?\d{8}[ -]?\d{3}[\dXxＸｘ](?!\d))
    | (?P<old_id>(?<!\d)\d{6}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?!\d))
    """,
    re.VERBOSE,
)
# Most lines have none of these and need no more than this look.
_HINT = re.compile(r"\d{3}[ -]?\d{4}|[\w-]{40}|eyJ|(?i:bearer|authorization|token|secret|password|session_?key)")


def scrub(text: str) -> str:
    """`text` with ID numbers, mainland mobiles, tokens and labelled secrets masked.

    Errs on the side of masking, but keeps UUIDs, hex digests and organisations' credit codes, which are not personal.
    """
    if _HINT.search(text) is None:
        return text
    return _SUSPECT.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    value = found.group()
    match found.lastgroup:
        case "keep":
            return value
        case "secret":
            return found["label"] + mask_secret(found["secret"])
        case "jwt" | "opaque":
            return mask_secret(value)
        case "phone":
            country = found["country"] or ""
            return country + value[len(country) :][:3] + _STARS + value[-4:]
        case "id" if _is_credit_code(value):
            return value
        case _:
            return value[:4] + "*" * (len(value) - 8) + value[-4:]


def _is_credit_code(value: str) -> bool:
    """Whether 18 digits are an organisation's code: its check fits, and no birth date stands where a person's would."""
    if not (value.isascii() and value.isdigit() and has_valid_check(value)):
        return False
    try:
        date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    except ValueError:
        return True
    return False
