"""What may be uploaded is told from the bytes alone (PR-13, PEERS 4.3)."""

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from casework.files import rules
from casework.files.errors import Fault, MaterialTypeInvalid
from casework.files.rules import Inspected, MediaType
from tests.factories import papers


def refusal(content: bytes) -> Fault:
    with pytest.raises(MaterialTypeInvalid) as refused:
        rules.inspect(content)
    assert refused.value.extra == {"reason": refused.value.fault}
    return refused.value.fault


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (papers.jpeg(), Inspected(MediaType.JPEG, 1)),
        (papers.png(), Inspected(MediaType.PNG, 1)),
        (papers.pdf(1), Inspected(MediaType.PDF, 1)),
        (papers.pdf(300), Inspected(MediaType.PDF, 300)),
        (papers.packed_pdf(7), Inspected(MediaType.PDF, 7)),
        (papers.ofd(4), Inspected(MediaType.OFD, 4)),
    ],
)
def test_type_and_pages_come_from_the_content(content: bytes, expected: Inspected) -> None:
    assert rules.inspect(content) == expected


def test_what_can_not_be_taken_is_said_so_that_people_can_act() -> None:
    assert refusal(b"") is Fault.EMPTY
    assert refusal(papers.heic()) is Fault.HEIC
    assert refusal(papers.word()) is Fault.OFFICE
    assert refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600) is Fault.OFFICE
    assert refusal(b"GIF89a" + b"\0" * 50) is Fault.UNKNOWN_TYPE
    assert refusal(b"<html><script>alert(1)</script>") is Fault.UNKNOWN_TYPE
    assert refusal(b"MZ\x90\0" + b"\0" * 100) is Fault.UNKNOWN_TYPE


def test_the_sentences_name_the_way_out() -> None:
    assert "转换为 JPG" in MaterialTypeInvalid(Fault.HEIC).sentence("zh")
    assert all(MaterialTypeInvalid(fault).sentence(language) for fault in Fault for language in ("zh", "en"))


@pytest.mark.parametrize("content", [papers.jpeg(200, 100), papers.png(200, 100), papers.pdf(2), papers.ofd(2)])
def test_a_file_cut_short_is_damaged(content: bytes) -> None:
    assert refusal(content[: len(content) // 2]) is Fault.DAMAGED


def test_an_image_bomb_is_refused_by_its_header() -> None:
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    bomb = b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IEND\xaeB`\x82"
    assert refusal(bomb) is Fault.TOO_MANY_PIXELS
    wide = bytearray(papers.jpeg())
    at = wide.index(b"\xff\xc0")
    wide[at + 5 : at + 9] = struct.pack(">HH", 60_000, 60_000)
    assert refusal(bytes(wide)) is Fault.TOO_MANY_PIXELS


def test_a_picture_of_exactly_the_limit_is_taken() -> None:
    header = struct.pack(">IIBBBBB", 10_000, 5_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    assert rules.inspect(b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IEND\xaeB`\x82").media_type is MediaType.PNG


def test_a_jpeg_with_a_thumbnail_and_a_film_behind_it_is_a_jpeg() -> None:
    thumbnail = papers.jpeg(8, 8)
    segment = b"\xff\xe1" + struct.pack(">H", 2 + 6 + len(thumbnail)) + b"Exif\0\0" + thumbnail
    picture = papers.jpeg(300, 200)
    assert rules.inspect(picture[:2] + segment + picture[2:] + b"\0\0\0 ftypmp42 film") == Inspected(MediaType.JPEG, 1)
    assert refusal(picture[:2] + segment) is Fault.DAMAGED


@pytest.mark.parametrize(
    "content",
    [
        papers.pdf(1).replace(b"trailer\n<<", b"trailer\n<</Encrypt 9 0 R "),
        papers.packed_pdf(1, trailer="/Encrypt<</Filter/Standard/V 4>>"),
        papers.packed_pdf(1, trailer="/Encrypt 9 0 R"),
    ],
)
def test_a_pdf_with_a_password_is_refused(content: bytes) -> None:
    assert refusal(content) is Fault.ENCRYPTED


def test_the_word_encrypt_elsewhere_is_no_password() -> None:
    content = papers.pdf(1).replace(b"trailer\n<<", b"trailer\n<</EncryptMetadata true ")
    assert rules.inspect(content).pages == 1


def test_a_deleted_page_of_an_older_revision_is_not_counted() -> None:
    content = papers.pdf(3)
    root = content.split(b"/Root ")[1].split()[0].decode()
    tree = content.split(b"/Pages ")[1].split()[0].decode()
    page = content.split(b"/Kids [")[1].split()[0].decode()
    newer = f"\n{tree} 0 obj\n<</Type /Pages /Count 1 /Kids [{page} 0 R]>>\nendobj\ntrailer\n<</Root {root} 0 R>>\nstartxref\n0\n%%EOF\n"
    assert rules.inspect(content + newer.encode()).pages == 1


def test_a_page_tree_that_loops_ends() -> None:
    loop = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[2 0 R 3 0 R]>>endobj "
        b"3 0 obj<</Type/Page>>endobj trailer<</Root 1 0 R>>startxref 0 %%EOF"
    )
    assert rules.inspect(loop).pages == 1


def test_a_compression_bomb_in_a_pdf_is_not_unpacked_whole() -> None:
    packed = zlib.compress(b"1 0 " + b"0" * 200_000_000, 9)
    bomb = b"%PDF-1.5\n5 0 obj<</Type/ObjStm/N 1/First 4>>\nstream\n" + packed + b"\nendstream endobj startxref 0"
    assert refusal(bomb) is Fault.DAMAGED


def test_a_zip_bomb_and_a_locked_ofd_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("OFD.xml", b" " * 60_000_000)
    assert refusal(out.getvalue()) is Fault.DAMAGED
    locked = bytearray(papers.ofd())
    at = locked.index(b"PK\x01\x02")
    locked[at + 8] |= 1
    assert refusal(bytes(locked)) is Fault.ENCRYPTED


def test_an_ofd_whose_document_is_missing_is_damaged() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("OFD.xml", "<OFD><DocBody><DocRoot>../../etc/passwd</DocRoot></DocBody></OFD>")
    assert refusal(out.getvalue()) is Fault.DAMAGED


@given(st.binary(max_size=400), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"%PDF-"]))
def test_no_bytes_break_the_inspection(tail: bytes, head: bytes) -> None:
    try:
        assert rules.inspect(head + tail).pages > 0
    except MaterialTypeInvalid as refused:
        assert refused.fault in Fault


def test_the_watermark_is_in_the_picture_and_the_place_of_the_photo_is_not() -> None:
    exif = Image.Exif()
    exif[0x010E] = "GPS 29.87 121.55"
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.new("RGB", (900, 600), "white").save(out, "JPEG", exif=exif)
    copy = rules.watermark_image(out.getvalue(), "clerk.wang 2026-11-24 10:00 YS2611240000019")
    with Image.open(io.BytesIO(copy)) as marked:
        assert marked.size == (600, 900), "turned upright"
        assert b"GPS 29.87" not in copy
        grey = marked.convert("L").histogram()
    assert sum(grey[:230]) > 5_000, "the label darkens the white paper"


def test_a_large_or_transparent_picture_is_marked_too() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (5_000, 200), (0, 0, 0, 0)).save(out, "PNG")
    with Image.open(io.BytesIO(rules.watermark_image(out.getvalue(), "clerk 2026"))) as marked:
        assert marked.format == "JPEG"
        assert marked.size == (3_000, 120)
        assert sum(marked.convert("L").histogram()[240:]) > 100_000, "transparent ground is white"


def test_a_picture_that_can_not_be_decoded_is_damaged() -> None:
    broken = bytearray(papers.png(300, 300))
    middle = broken.index(b"IDAT") + 10
    broken[middle : middle + 40] = b"\0" * 40
    with pytest.raises(MaterialTypeInvalid) as refused:
        rules.watermark_image(bytes(broken), "clerk")
    assert refused.value.fault is Fault.DAMAGED
