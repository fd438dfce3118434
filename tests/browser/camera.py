"""Pictures of pages at phone width, for docs/images/sign-in; only made when asked for."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images" / "sign-in"
WIDTH, HEIGHT = 375, 720
MOST_BYTES = 60_000
_COLOURS = 32


class Camera:
    """Takes the pictures of one look (`suffix`) of the pages, unless it is off."""

    def __init__(self, suffix: str, *, on: bool, only: frozenset[str] | None = None) -> None:
        self.suffix, self.on, self.only = suffix, on, only

    def take(self, page: Any, name: str) -> None:
        """A picture of the whole page; few colours, so that it stays small."""
        if not self.on or (self.only is not None and name not in self.only):
            return
        FOLDER.mkdir(parents=True, exist_ok=True)
        shot = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
        path = FOLDER / f"{name}{self.suffix}.png"
        shot.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)
        assert path.stat().st_size < MOST_BYTES, f"{path.name} is too large"
