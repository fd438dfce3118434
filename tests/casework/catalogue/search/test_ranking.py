"""The order of answers, and the bound on what is compared."""

from collections import Counter

from casework.catalogue.search.comparing.rules import Candidate, ranked
from casework.catalogue.search.lexicon.rules import lexicon
from casework.catalogue.search.ranking.rules import Plan, Texts, Wanted, item_terms, plan, seek
from casework.catalogue.search.understanding.rules import read

NAMES = {
    "A": "普通护照首次申请",
    "B": "普通护照换发、补发",
    "C": "护照",
    "D": "公务出国审批(须持护照)",
    "E": "户口迁移",
    "F": "出国人员体检",
}


class Small:
    """A catalogue in memory."""

    def __init__(self, names: dict[str, str], *, body: str = "", used: str = "") -> None:
        texts = {key: Texts.of(name, ["结果"], [body] if key == "F" else []) for key, name in names.items()}
        self.items = {key: Candidate(key, *text, False, int(key == used)) for key, text in texts.items()}
        self.terms = {key: item_terms(key, (), text) for key, text in texts.items()}
        self.counts = Counter(term for terms in self.terms.values() for term in terms)

    def known(self, term: str) -> int:
        return self.counts[term]

    def find(self, typed: str) -> list[str]:
        return [key for _, key in ranked(self.wanted(typed), list(self.items.values()))]

    def wanted(self, typed: str) -> list[Wanted]:
        return [Wanted.of(reading, self.known, len(self.items)) for reading in read(typed, lexicon(), self.known)]


def test_the_same_name_then_names_that_hold_it_then_what_holds_it_in_a_bracket() -> None:
    found = Small(NAMES).find("护照")
    assert found[0] == "C"
    assert set(found[1:3]) == {"A", "B"}
    assert found[3] == "D"
    assert "E" not in found


def test_the_thing_and_the_deed_come_before_the_thing_alone() -> None:
    assert Small(NAMES).find("护照到期")[0] == "B"
    assert Small(NAMES).find("第一次办护照")[0] == "A"


def test_what_sounds_so_is_found_where_nothing_is_written_so() -> None:
    assert Small(NAMES).find("户照首次申请")[0] == "A"


def test_what_stands_in_the_papers_comes_last() -> None:
    catalogue = Small({"E": "户口迁移登记", "F": "出国人员体检"}, body="迁移登记凭证")
    assert catalogue.find("凭证") == ["F"]
    assert catalogue.find("迁移登记") == ["E"]


def test_of_equals_the_most_used_comes_first() -> None:
    twins = {"A": "取水许可变更", "B": "取水许可延续"}
    assert Small(twins).find("取水许可") == ["A", "B"]
    assert Small(twins, used="B").find("取水许可") == ["B", "A"]


def test_a_place_is_not_what_is_looked_for_unless_it_is_all_that_was_typed() -> None:
    places = {"A": "取水许可(慈溪市)", "B": "取水许可", "C": "户口迁移", "D": "采矿权(慈溪市)"}
    catalogue = Small(places)
    assert catalogue.find("取水许可") == ["B", "A"], "of one part of the city only"
    assert catalogue.find("慈溪取水许可") == ["A", "B"]
    assert catalogue.find("慈溪户口迁移") == ["C"]
    assert set(catalogue.find("慈溪")) == {"A", "D"}
    chosen = plan(catalogue.wanted("慈溪户口迁移"), 20_000)
    assert "慈溪" not in {*chosen.few, *(term for terms in chosen.common for term in terms)}


def test_what_the_word_means_comes_before_what_only_holds_it() -> None:
    both = {"A": "涉路施工许可", "B": "建筑工程施工许可证核发"}
    assert Small(both).find("施工许可")[0] == "B"


def test_a_bracket_does_not_make_a_name_less_fitting() -> None:
    two = {"A": "公司变更登记(名称、住所、法定代表人、经营范围、注册资本、股东)", "B": "股份有限公司变更登记"}
    assert Small(two).find("公司变更登记")[0] == "A"


def test_a_name_may_begin_with_a_bracket() -> None:
    assert Small({"A": "(试点)取水许可", "B": "户口迁移"}).find("取水许可") == ["A"]


def test_nothing_answers_nonsense() -> None:
    assert Small(NAMES).find("甲乙丙丁戊己庚辛") == []


def test_rare_terms_are_looked_for_and_common_ones_only_together() -> None:
    counts = {"护照": 3, "登记": 5_000, "变更": 4_000}

    def known(term: str) -> int:
        return counts.get(term, 0)

    def planned(typed: str) -> Plan:
        return plan([Wanted.of(reading, known, 20_000) for reading in read(typed, lexicon(), known)], 20_000)

    chosen = planned("护照登记变更")
    assert chosen.few == ("护照",)
    assert [len(terms) for terms in chosen.common] == [1, 1]
    assert planned("变更登记").few == ()
    assert planned("变更登记").loose == (("变更",),)
    assert planned("登记").loose == (), "a quarter of all items hold it: as good as nothing was said"


def test_what_the_lexicon_does_not_know_says_less_than_what_it_knows() -> None:
    names = {"A": "对外贸易经营者登记", "B": "有限责任公司设立登记"}
    assert Small(names).find("注册一个贸易公司")[0] == "B"


def test_further_meanings_are_looked_for_only_while_few_items_hold_what_is_meant_first() -> None:
    def terms(counts: dict[str, int]) -> tuple[str, ...]:
        def known(term: str) -> int:
            return counts.get(term, 0)

        (unit,) = read("项目核准", lexicon(), known)[0].units
        return seek(unit, known, 20_000).terms

    assert terms({"项目": 30, "目核": 4, "核准": 150, "审批": 4_000}) == ("目核",)
    assert terms({"审批": 4_000}) == ("审批",)
