"""What may be uploaded, told from the bytes alone (PR-13, 2.7), and the watermark of what staff opens (PR-15). Pure.

Nothing here trusts a file: no picture is decoded at upload, no XML is parsed, nothing is unpacked beyond a cap.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from casework.files.errors import Fault, MaterialTypeInvalid
from casework.files.pdf import rules as pdf
from core.actors import Capacity, Citizen


class MediaType(StrEnum):
    """The kinds of file that are taken (PR-13)."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    PDF = "application/pdf"
    OFD = "application/ofd"

    @property
    def is_image(self) -> bool:
        """Whether a browser shows it as a picture."""
        return self in {MediaType.JPEG, MediaType.PNG}

    @property
    def suffix(self) -> str:
        """The usual file name suffix, with its dot."""
        return {"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf"}.get(self, ".ofd")


@dataclass(frozen=True, slots=True)
class FilePolicy:
    """Numbers DOMAIN marks [D]. `max_bytes` of one file."""

    max_bytes: int = 10 * 1024 * 1024
    max_pixels: int = 50_000_000
    link_lifetime: timedelta = timedelta(minutes=5)
    watermark_side: int = 3_000


POLICY = FilePolicy()


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a file is."""

    media_type: MediaType
    pages: int


_HEIF_BRANDS = frozenset((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif"))
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEAD = 1024
_UNPACKED_MAX = 32 * 1024 * 1024
_ENTRIES_MAX = 20_000


def opens_all(actor: Citizen) -> bool:
    """Whether who acts for another may open files that the other uploaded: guardians and representatives may (DG-1)."""
    return actor.acted_by in {Capacity.SELF, Capacity.GUARDIAN, Capacity.LEGAL_REPRESENTATIVE, Capacity.ADMINISTRATOR}


def inspect(content: bytes, policy: FilePolicy = POLICY) -> Inspected:
    """The type and pages of a file. Raises `MaterialTypeInvalid` with the `Fault`; the size is the caller's to check."""
    if not content:
        raise MaterialTypeInvalid(Fault.EMPTY)
    if content.startswith(b"\xff\xd8\xff"):
        _check_pixels(_jpeg_size(content), policy)
        return Inspected(MediaType.JPEG, 1)
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        _check_pixels(_png_size(content), policy)
        return Inspected(MediaType.PNG, 1)
    if content.startswith(b"PK\x03\x04"):
        return Inspected(MediaType.OFD, _ofd_pages(content))
    if b"%PDF-" in content[:_HEAD]:
        return Inspected(MediaType.PDF, pdf.count_pages(content))
    if content[4:8] == b"ftyp" and content[8:12] in _HEIF_BRANDS:
        raise MaterialTypeInvalid(Fault.HEIC)
    raise MaterialTypeInvalid(Fault.OFFICE if content.startswith(_OLE) else Fault.UNKNOWN_TYPE)


def _check_pixels(size: tuple[int, int], policy: FilePolicy) -> None:
    width, height = size
    if not width or not height:
        raise MaterialTypeInvalid(Fault.DAMAGED)
    if width * height > policy.max_pixels:
        raise MaterialTypeInvalid(Fault.TOO_MANY_PIXELS)


def _png_size(content: bytes) -> tuple[int, int]:
    if content[12:16] != b"IHDR" or b"IEND" not in content[24:]:
        raise MaterialTypeInvalid(Fault.DAMAGED)
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Walk the segments to the frame header; a file cut short has no end marker after it."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            if content.find(b"\xff\xd9", at) < 0:
                break
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(content[at + 2 : at + 4])
    raise MaterialTypeInvalid(Fault.DAMAGED)


_DOC_ROOT = re.compile(rb"<(?:\w+:)?DocRoot>\s*([^<]{1,300}?)\s*<")
_OFD_PAGE = re.compile(rb"<(?:\w+:)?Page\s")
_OFFICE_MARKS = ("[Content_Types].xml", "mimetype", "META-INF/manifest.xml")


def _ofd_pages(content: bytes) -> int:
    """Pages of an OFD (GB/T 33190): a zip whose OFD.xml names documents, each of which lists its pages."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            if "OFD.xml" not in entries:
                office = any(mark in entries for mark in _OFFICE_MARKS)
                raise MaterialTypeInvalid(Fault.OFFICE if office else Fault.UNKNOWN_TYPE)
            if any(entry.flag_bits & 1 for entry in entries.values()):
                raise MaterialTypeInvalid(Fault.ENCRYPTED)
            roots = [root.decode() for root in _DOC_ROOT.findall(_read(archive, "OFD.xml"))]
            pages = sum(len(_OFD_PAGE.findall(_read(archive, root.lstrip("/")))) for root in roots)
    except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, EOFError, zlib.error):
        raise MaterialTypeInvalid(Fault.DAMAGED) from None
    if not pages or len(entries) > _ENTRIES_MAX:
        raise MaterialTypeInvalid(Fault.DAMAGED)
    return pages


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    """One entry, unpacked up to the cap; more raises `ValueError`."""
    with archive.open(name) as entry:
        content = entry.read(_UNPACKED_MAX + 1)
    if len(content) > _UNPACKED_MAX:
        raise ValueError("the entry unpacks to too much")
    return content


def watermark_image(content: bytes, label: str, policy: FilePolicy = POLICY) -> bytes:
    """A JPEG copy with `label` repeated across it, for staff to open (PR-15); the built-in font shows ASCII only.

    The copy is upright, at most `policy.watermark_side` pixels a side, and has none of the original's metadata (place
    and time of the photo). Raises `MaterialTypeInvalid` (DAMAGED) when the picture can't be decoded.
    """
    from PIL import Image, ImageDraw, ImageFont, ImageOps

    side = policy.watermark_side
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as opened:
            # Lets a JPEG decode at a fraction of its size, which is most of the work for a large photo.
            opened.draft("RGB", (side, side))
            picture = ImageOps.exif_transpose(opened)
            picture.thumbnail((side, side))
            if picture.mode in {"RGBA", "LA", "P", "PA"}:
                picture = picture.convert("RGBA")
                ground = Image.new("RGBA", picture.size, "white")
                picture = Image.alpha_composite(ground, picture)
            picture = picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise MaterialTypeInvalid(Fault.DAMAGED) from None
    size = max(14, max(picture.size) // 45)
    font = ImageFont.load_default(size)
    width = int(font.getlength(label)) + 3 * size
    stripe = Image.new("L", (width, 6 * size), 0)
    ImageDraw.Draw(stripe).text((size, 2 * size), label, fill=110, font=font)
    reach = int((picture.width**2 + picture.height**2) ** 0.5) + 1
    mask = Image.new("L", (reach, reach), 0)
    for row, top in enumerate(range(0, reach, stripe.height)):
        for left in range(-(row % 2) * width // 2, reach, width):
            mask.paste(stripe, (left, top))
    mask = mask.rotate(30, resample=Image.Resampling.BILINEAR)
    left, top = (reach - picture.width) // 2, (reach - picture.height) // 2
    mask = mask.crop((left, top, left + picture.width, top + picture.height))
    picture.paste((128, 128, 128), mask=mask)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()
