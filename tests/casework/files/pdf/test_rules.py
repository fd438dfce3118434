"""The copy of a PDF that staff opens bears clerk and time on every page (PR-15)."""

import re

import pytest

from casework.files.errors import Fault, MaterialTypeInvalid
from casework.files.pdf import rules
from tests.factories import papers

LABEL = "clerk.wang 2026-11-24 10:00 YS2611240000019"


def update_of(original: bytes, marked: bytes) -> bytes:
    assert marked.startswith(original), "the original bytes stay as they are"
    return marked[len(original) :]


@pytest.mark.parametrize("original", [papers.pdf(3), papers.packed_pdf(3)])
def test_every_page_gets_the_stamp(original: bytes) -> None:
    marked = rules.watermark(original, LABEL)
    update = update_of(original, marked)
    assert rules.count_pages(marked) == 3
    assert len(re.findall(rb"/Subtype/Stamp", update)) == 3
    assert len(re.findall(rb"/Type\s*/Page\b", update)) == 3
    assert update.count(f"({LABEL})".encode()) > 0


def test_the_table_of_an_update_points_at_its_objects() -> None:
    original = papers.pdf(2)
    marked = rules.watermark(original, LABEL)
    start = int(marked.rsplit(b"startxref", 1)[1].split()[0])
    table = marked[start : marked.index(b"trailer", start)]
    rows = re.findall(rb"(\d+) 1\n(\d{10}) (\d{5}) n \n", table)
    assert len(rows) == 2 + 2 + 1, "two pages, two annotations, one stamp"
    for number, place, generation in rows:
        assert marked[int(place) :].startswith(b"%d %d obj" % (int(number), int(generation)))
    before = int(original.rsplit(b"startxref", 1)[1].split()[0])
    assert f"/Prev {before}/Root".encode() in marked[start:]


def test_a_file_with_a_cross_reference_stream_is_continued_with_one() -> None:
    original = papers.packed_pdf(2)
    marked = rules.watermark(original, LABEL)
    start = int(marked.rsplit(b"startxref", 1)[1].split()[0])
    head, _, rest = marked[start:].partition(b"stream\n")
    assert b"/Type/XRef" in head
    index = re.search(rb"/Index\[([\d ]+)\]", head)
    assert index is not None
    numbers = [int(word) for word in index[1].split()[::2]]
    for position, number in enumerate(numbers):
        row = rest[position * 7 : position * 7 + 7]
        assert row[0] == 1
        assert marked[int.from_bytes(row[1:5]) :].startswith(b"%d 0 obj" % number)
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("annotations", [b"/Annots[8 0 R]", b"/Annots 7 0 R"])
def test_annotations_that_were_there_stay(annotations: bytes) -> None:
    original = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/MediaBox[0 0 200 100]/Kids[3 0 R]>>endobj "
        b"3 0 obj<</Type/Page/Parent 2 0 R" + annotations + b">>endobj 7 0 obj[8 0 R]endobj "
        b"8 0 obj<</Type/Annot>>endobj trailer<</Root 1 0 R/Size 9>>startxref 0 %%EOF"
    )
    update = update_of(original, rules.watermark(original, LABEL))
    page = re.search(rb"3 0 obj\n(.*?)\nendobj", update, re.DOTALL)
    assert page is not None
    listed = re.findall(rb"/Annots\[([^\]]*)\]", page[1])
    assert len(listed) == 1
    assert sorted(re.findall(rb"\d+ 0 R", listed[0])) == [b"10 0 R", b"8 0 R"]
    assert b"/Rect[0.0 0.0 200.0 100.0]" in update, "the box comes from the page's parent"


def test_brackets_in_a_label_do_not_end_it() -> None:
    assert rb"(a \(b\) \\ ?)" in rules.watermark(papers.pdf(1), "a (b) \\ 王")


def test_a_file_without_pages_can_not_be_marked() -> None:
    with pytest.raises(MaterialTypeInvalid) as refused:
        rules.watermark(b"%PDF-1.4\nstartxref 0", LABEL)
    assert refused.value.fault is Fault.DAMAGED
