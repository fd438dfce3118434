"""Reading a PDF's objects without trusting it, and marking its pages by an incremental update. Pure.

Objects are found by scanning, not by the cross-reference table, so older revisions, damaged tables and compressed object
streams are all read the same way; a later definition of an object replaces an earlier one. All patterns have bounded
repeats and every stream is skipped or unpacked up to a cap, so time and memory are bounded by the file's size.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from casework.files.errors import Fault, MaterialTypeInvalid

UNPACKED_MAX = 32 * 1024 * 1024

_WHITE = rb"\s{0,20}"
_REFERENCE_TO = rb"(\d{1,10})\s{1,20}(\d{1,5})\s{1,20}R\b"
_OBJECT = re.compile(rb"(?<!\d)(\d{1,10})\s{1,20}\d{1,5}\s{1,20}obj\b")
_OBJECT_END = re.compile(rb"\bendobj\b|\bstream\r?\n|\bstream\r")
_REFERENCE = re.compile(_REFERENCE_TO)
_ENCRYPT = re.compile(rb"/Encrypt" + _WHITE + rb"(?:" + _REFERENCE_TO + rb"|<<)")
_ROOT = re.compile(rb"/Root" + _WHITE + _REFERENCE_TO)
_PAGES = re.compile(rb"/Pages" + _WHITE + _REFERENCE_TO)
_KIDS = re.compile(rb"/Kids" + _WHITE + rb"(?:\[([^\]]*)\]|" + _REFERENCE_TO + rb")")
_PAGE_TYPE = re.compile(rb"/Type" + _WHITE + rb"/Page(?![A-Za-z])")
_OBJECT_STREAM = re.compile(rb"/Type" + _WHITE + rb"/ObjStm\b")
_FIRST = re.compile(rb"/First\s{1,20}(\d{1,10})")
_BOX = re.compile(rb"/MediaBox" + _WHITE + rb"\[([-+.\d\s]{1,120})\]")
_ANNOTATIONS = re.compile(rb"/Annots" + _WHITE + rb"(?:(\[)|" + _REFERENCE_TO + rb")")
_START = re.compile(rb"startxref\s{1,20}(\d{1,12})")

_A4 = (0.0, 0.0, 595.0, 842.0)


@dataclass(frozen=True, slots=True)
class _Page:
    number: int
    generation: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Document:
    """Every object's last definition without its stream, the root's reference, and the pages in order."""

    objects: dict[int, bytes]
    root: tuple[int, int] | None
    pages: tuple[_Page, ...]


def count_pages(content: bytes) -> int:
    """How many pages a PDF has. Raises `MaterialTypeInvalid`: ENCRYPTED, or DAMAGED when there are none."""
    return len(_read(content).pages)


def _read(content: bytes) -> _Document:
    if b"startxref" not in content:
        raise MaterialTypeInvalid(Fault.DAMAGED)
    objects, outside = _objects(content)
    if _ENCRYPT.search(outside):
        raise MaterialTypeInvalid(Fault.ENCRYPTED)
    roots = _ROOT.findall(outside)
    root = (int(roots[-1][0]), int(roots[-1][1])) if roots else None
    tree = _PAGES.search(objects.get(root[0], b"")) if root else None
    pages = tuple(_leaves(int(tree[1]), int(tree[2]), objects)) if tree else ()
    # A file whose tree can't be found still has its page objects.
    pages = pages or tuple(_Page(n, 0, _A4) for n, body in objects.items() if _PAGE_TYPE.search(body))
    if not pages:
        raise MaterialTypeInvalid(Fault.DAMAGED)
    return _Document(objects, root, pages)


def _leaves(number: int, generation: int, objects: dict[int, bytes]) -> Iterator[_Page]:
    """The pages under a node in order, with the box they inherit; a node that comes twice counts once, so loops end."""
    todo, seen = [_Page(number, generation, _A4)], {number}
    while todo:
        node = todo.pop()
        body = objects.get(node.number, b"")
        box = _box(body) or node.box
        kids = _KIDS.search(body)
        if kids is None:
            if _PAGE_TYPE.search(body):
                yield _Page(node.number, node.generation, box)
            continue
        listed = kids[1] if kids[1] is not None else objects.get(int(kids[2]), b"")
        children = []
        for child, child_generation in _REFERENCE.findall(listed):
            if int(child) not in seen:
                seen.add(int(child))
                children.append(_Page(int(child), int(child_generation), box))
        todo += reversed(children)


def _box(body: bytes) -> tuple[float, float, float, float] | None:
    found = _BOX.search(body)
    if found is None:
        return None
    try:
        left, bottom, right, top = map(float, found[1].split())
    except ValueError:
        return None
    return (min(left, right), min(bottom, top), max(left, right), max(bottom, top))


def _objects(content: bytes) -> tuple[dict[int, bytes], bytes]:
    """Every object's last definition, and all bytes outside streams (trailers included)."""
    objects: dict[int, bytes] = {}
    outside: list[bytes] = []
    at, budget = 0, UNPACKED_MAX
    while found := _OBJECT.search(content, at):
        end = _OBJECT_END.search(content, found.end())
        if end is None:
            break
        body = content[found.end() : end.start()]
        outside.append(content[at : end.start()])
        objects[int(found[1])] = body
        at = end.end()
        if end.group().startswith(b"stream"):
            stop = content.find(b"endstream", at)
            if stop < 0:
                break
            if _OBJECT_STREAM.search(body):
                packed = _unpacked(content[at:stop], budget)
                budget -= len(packed)
                objects.update(_packed_objects(body, packed))
            at = stop
    outside.append(content[at:])
    return objects, b"\n".join(outside)


def _unpacked(stream: bytes, budget: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream, max(budget, 1))
    except zlib.error:
        return b""


def _packed_objects(dictionary: bytes, packed: bytes) -> Iterator[tuple[int, bytes]]:
    """The objects of one object stream: pairs of number and offset, then the bodies."""
    first = _FIRST.search(dictionary)
    if first is None:
        return
    start = int(first[1])
    numbers = [int(word) for word in packed[:start].split() if word.isdigit()]
    offsets = [*numbers[1::2], len(packed) - start]
    for number, begin, end in zip(numbers[0::2], offsets, offsets[1:], strict=False):
        yield number, packed[start + begin : start + end]


def watermark(content: bytes, label: str) -> bytes:
    """A copy with `label` (ASCII) across every page, as a locked stamp that is shown and printed (PR-15).

    The original bytes stay as they are and an update is appended: the pages once more, each with the stamp among its
    annotations. Raises `MaterialTypeInvalid` as `count_pages`.
    """
    document = _read(content)
    start = _START.findall(content)
    previous = int(start[-1]) if start else 0
    update = _Update(content, next_number=max(document.objects) + 1)
    stamps: dict[tuple[float, float], int] = {}
    for page in document.pages:
        left, bottom, right, top = page.box
        size = (right - left, top - bottom)
        if size not in stamps:
            stamps[size] = update.add(_stamp(label, *size))
        annotation = update.add(
            f"<</Type/Annot/Subtype/Stamp/F 196/Rect[{left} {bottom} {right} {top}]"
            f"/P {page.number} {page.generation} R/AP<</N {stamps[size]} 0 R>>>>".encode()
        )
        body = _with_annotation(document.objects[page.number], annotation, document.objects)
        update.replace(page.number, page.generation, body)
    return update.finished(document.root, previous)


def _stamp(label: str, width: float, height: float) -> bytes:
    """The appearance: the label in rows at 30 degrees, grey and see-through."""
    size = max(10.0, max(width, height) / 45)
    text = label.encode("ascii", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)").decode()
    step_x, step_y = size * (len(label) * 0.6 + 3), size * 7
    rows = []
    y, row = -width, 0
    while y < height:
        x = -(row % 2) * step_x / 2
        while x < width:
            rows.append(f"BT /F {size:.1f} Tf 0.866 0.5 -0.5 0.866 {x:.1f} {y + x * 0.577:.1f} Tm ({text}) Tj ET")
            x += step_x
        y, row = y + step_y, row + 1
    drawing = ("q /G gs 0.5 g\n" + "\n".join(rows) + "\nQ").encode()
    return (
        (
            f"<</Type/XObject/Subtype/Form/BBox[0 0 {width} {height}]/Resources<</ExtGState<</G<</ca 0.4>>>>"
            f"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>/Length {len(drawing)}>>\nstream\n"
        ).encode()
        + drawing
        + b"\nendstream"
    )


def _with_annotation(page: bytes, annotation: int, objects: dict[int, bytes]) -> bytes:
    """A page's dictionary with one more annotation."""
    mine = f"{annotation} 0 R".encode()
    found = _ANNOTATIONS.search(page)
    if found is None:
        return page.replace(b"<<", b"<</Annots[" + mine + b"]", 1)
    if found[1]:
        return page[: found.end()] + mine + b" " + page[found.end() :]
    others = objects.get(int(found[2]), b"").strip().removeprefix(b"[").removesuffix(b"]")
    return page[: found.start()] + b"/Annots[" + others + b" " + mine + b"]" + page[found.end() :]


class _Update:
    """An incremental update being written behind the original bytes."""

    def __init__(self, original: bytes, next_number: int) -> None:
        self._parts = [original, b"\n"]
        self._length = len(original) + 1
        self._next = next_number
        self._places: dict[int, tuple[int, int]] = {}

    def add(self, body: bytes) -> int:
        """Append a new object; its number."""
        number, self._next = self._next, self._next + 1
        self.replace(number, 0, body)
        return number

    def replace(self, number: int, generation: int, body: bytes) -> None:
        """Append another definition of an object."""
        self._places[number] = (self._length, generation)
        self._write(f"{number} {generation} obj\n".encode() + body + b"\nendobj\n")

    def _write(self, part: bytes) -> None:
        self._parts.append(part)
        self._length += len(part)

    def finished(self, root: tuple[int, int] | None, previous: int) -> bytes:
        """The whole file, with a cross-reference of the kind the original has (ISO 32000 7.5.8.4 forbids mixing)."""
        trailer = f"/Prev {previous}" + (f"/Root {root[0]} {root[1]} R" if root else "")
        start = self._length
        if self._parts[0][previous : previous + 4] == b"xref":
            self._write(self._table(trailer))
        else:
            self._write(self._stream(trailer, start))
        self._write(f"startxref\n{start}\n%%EOF\n".encode())
        return b"".join(self._parts)

    def _table(self, trailer: str) -> bytes:
        rows = (f"{number} 1\n{place:010} {generation:05} n \n" for number, (place, generation) in self._sorted())
        return f"xref\n{''.join(rows)}trailer\n<</Size {self._next}{trailer}>>\n".encode()

    def _stream(self, trailer: str, start: int) -> bytes:
        number = self._next
        self._places[number] = (start, 0)
        index = " ".join(f"{found} 1" for found, _ in self._sorted())
        rows = b"".join(b"\1" + place.to_bytes(4) + generation.to_bytes(2) for _, (place, generation) in self._sorted())
        head = f"{number} 0 obj\n<</Type/XRef/Size {number + 1}/W[1 4 2]/Index[{index}]{trailer}/Length {len(rows)}>>\n"
        return head.encode() + b"stream\n" + rows + b"\nendstream\nendobj\n"

    def _sorted(self) -> list[tuple[int, tuple[int, int]]]:
        return sorted(self._places.items())
