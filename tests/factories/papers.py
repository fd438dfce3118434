"""Papers to upload: real pictures, PDFs and OFDs, and ones that must be refused."""

from __future__ import annotations

import functools
import io
import zipfile
import zlib

from PIL import Image


def jpeg(width: int = 40, height: int = 30, colour: str = "white") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "JPEG")
    return out.getvalue()


def png(width: int = 40, height: int = 30, colour: str = "white") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


@functools.cache
def pdf(pages: int = 2) -> bytes:
    """A PDF written by Pillow, so not by anybody who knows how we read it. The same bytes each time, though it dates them."""
    sheets = [Image.new("RGB", (20, 30), "white") for _ in range(pages)]
    out = io.BytesIO()
    sheets[0].save(out, "PDF", save_all=True, append_images=sheets[1:])
    return out.getvalue()


def packed_pdf(pages: int = 3, *, trailer: str = "") -> bytes:
    """A PDF 1.5 with all its objects in a compressed object stream and a cross-reference stream, as Word writes them."""
    kids = " ".join(f"{number} 0 R" for number in range(10, 10 + pages))
    bodies = {1: "<</Type/Catalog/Pages 2 0 R>>", 2: f"<</Type/Pages/Count {pages}/Kids 3 0 R>>", 3: f"[{kids}]"}
    bodies |= dict.fromkeys(range(10, 10 + pages), "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>")
    head, body = "", ""
    for number, text in bodies.items():
        head += f"{number} {len(body)} "
        body += text + "\n"
    packed = zlib.compress((head + body).encode())
    stream = (
        f"5 0 obj\n<</Type/ObjStm/N {len(bodies)}/First {len(head)}/Filter/FlateDecode/Length {len(packed)}>>\nstream\n"
    )
    out = b"%PDF-1.5\n" + stream.encode() + packed + b"\nendstream\nendobj\n"
    start = len(out)
    entries = zlib.compress(b"\0" * 40)
    table = f"6 0 obj\n<</Type/XRef/Size 20/W[1 4 2]/Root 1 0 R{trailer}/Filter/FlateDecode/Length {len(entries)}>>\nstream\n"
    return out + table.encode() + entries + f"\nendstream\nendobj\nstartxref\n{start}\n%%EOF\n".encode()


@functools.cache
def ofd(pages: int = 2) -> bytes:
    """A minimal OFD (GB/T 33190)."""
    space = 'xmlns:ofd="http://www.ofdspec.org/2016"'
    sheets = "".join(
        f'<ofd:Page ID="{number}" BaseLoc="Pages/Page_{number}/Content.xml"/>' for number in range(1, pages + 1)
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "OFD.xml",
            f"<ofd:OFD {space}><ofd:DocBody><ofd:DocRoot>/Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        )
        archive.writestr(
            "Doc_0/Document.xml",
            f'<ofd:Document {space}><ofd:CommonData><ofd:TemplatePage ID="99" BaseLoc="Tpls/Tpl_0/Content.xml"/>'
            f"</ofd:CommonData><ofd:Pages>{sheets}</ofd:Pages></ofd:Document>",
        )
    return out.getvalue()


def word() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/vbaProject.bin", b"macro")
    return out.getvalue()


def heic() -> bytes:
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64
