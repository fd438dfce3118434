"""What may be kept of a search in vain. Pure."""

from __future__ import annotations

import re

from casework.catalogue.search.words.rules import fold, is_latin, sounds, spell

LONGEST = 20
_SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田"
    "任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞"
    "章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟卜路詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍"
    "翁隋植甘景薄单包司柏宁柯阮桂闵欧阳解强柴华车冉房边辜吉饶刁瞿戚丘古米池滕晋苑邬臧畅宫来嵺苟全褚廉简娄盖符奚木穆党燕郎邸"
)
_SURNAMES_SAID = frozenset(map(sounds, _SURNAMES))
_LONGEST_NAME = 4
_PRIVATE = re.compile(r"[0-9]{4}|@|[路街弄巷村]\s*[0-9]+|[0-9]+\s*[号幢栋室楼]|小区|身份证号|手机号|电话")


def keepable(typed: str) -> str | None:
    """The text as it may be kept; None when it looks like a number, an address or a name, or is nothing.

    A doubtful one isn't kept: a word lost to the keepers of the lexicon is a small price.
    """
    text = fold(typed)
    if not 1 < len(text) <= LONGEST or _PRIVATE.search(typed) or _PRIVATE.search(text):
        return None
    return None if _like_a_name(text) else text


def _like_a_name(text: str) -> bool:
    if is_latin(text):
        said = spell(text)
        return 1 < len(said) <= _LONGEST_NAME and said[0] in _SURNAMES_SAID
    return len(text) <= _LONGEST_NAME and text[0] in _SURNAMES
