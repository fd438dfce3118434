"""Writing the import files of a made-up city."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from casework.catalogue.generator import rules
from casework.catalogue.service import sample_document

ITEMS_FILE, POINTS_FILE = "items.json", "points.json"


def write_city(folder: Path, *, items: int, points: int, seed: int, day: date) -> tuple[Path, Path]:
    """Write `items.json` (for `import-catalogue`) and `points.json` (for `import-points` afterwards) into `folder`; their paths.

    Raises `ValueError` for more items than the vocabulary has.
    """
    lookups = sample_document()["lookups"]
    folder.mkdir(parents=True, exist_ok=True)
    city = rules.catalogue(lookups, items=items, seed=seed, day=day.isoformat())
    documents = {
        ITEMS_FILE: city,
        POINTS_FILE: rules.points(lookups["regions"], count=points, seed=seed, items=city["items"]),
    }
    for name, document in documents.items():
        text = json.dumps(document, ensure_ascii=False, indent=None, separators=(",", ":"))
        (folder / name).write_text(text, encoding="utf-8")
    return folder / ITEMS_FILE, folder / POINTS_FILE
