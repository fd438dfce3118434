"""The made-up city: the same for the same seed, importable, marked, and never mixed up with the sample."""

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from casework.catalogue import service
from casework.catalogue.generator import rules
from casework.catalogue.generator.service import write_city
from core import db
from gateway.cli import main
from tests.factories import catalogue

DAY = date(2026, 11, 24)
LOOKUPS = service.sample_document()["lookups"]


def test_the_same_seed_makes_the_same_city(tmp_path: Path) -> None:
    files = [
        write_city(tmp_path / name, items=50, points=30, seed=seed, day=DAY)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    first, same, other = [[file.read_text(encoding="utf-8") for file in pair] for pair in files]
    assert first == same
    assert first[0] != other[0]
    assert first[1] != other[1]


def test_a_city_of_20000_items_has_its_own_codes_and_names() -> None:
    made = rules.catalogue(LOOKUPS, items=20_000, seed=1, day=DAY.isoformat())["items"]
    sample = {item["item_id"]: item["name"] for item in service.sample_document()["items"]}
    codes, names = {item["item_id"] for item in made}, {item["name"] for item in made}
    assert len(codes) == len(names) == 20_000
    assert not codes & sample.keys()
    assert not names & set(sample.values())
    assert all(item["catalog_code"].startswith("SAMPLE") for item in made)
    with pytest.raises(ValueError, match="at most"):
        rules.catalogue(LOOKUPS, items=1_000_000, seed=1, day=DAY.isoformat())


def test_the_items_are_imported_without_a_fault(own_database: str, tmp_path: Path) -> None:
    file, _ = write_city(tmp_path, items=120, points=0, seed=3, day=DAY)
    document = json.loads(file.read_text(encoding="utf-8"))
    with db.transaction() as session:
        report = service.import_sample(session, document)
        assert report.faults == ()
        assert (report.items, report.changed) == (120, 120)
        again = service.import_sample(session, document)
        assert (again.items, again.changed) == (120, 0)
        sample = service.import_sample(session, catalogue.document("NB-002"))
        assert sample.changed == 0


def test_the_points_lie_in_the_city() -> None:
    made = rules.points(LOOKUPS["regions"], count=3_121, seed=1)
    assert len({point["code"] for point in made["points"]}) == 3_121
    assert {point["region_code"] for point in made["points"]} == {region["code"] for region in LOOKUPS["regions"]}
    for point in made["points"]:
        assert 28.5 < point["latitude"] < 31
        assert 120.5 < point["longitude"] < 122.8
    kinds = [point["kind"] for point in made["points"]]
    assert (kinds.count("TOWN"), kinds.count("TERMINAL")) == (150, 320)


def test_the_command_writes_both_files_and_refuses_too_many(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["generate-city", "--items", "5", "--points", "3", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert len(json.loads((tmp_path / "items.json").read_text(encoding="utf-8"))["items"]) == 5
    assert len(json.loads((tmp_path / "points.json").read_text(encoding="utf-8"))["points"]) == 3
    assert CliRunner().invoke(main, ["generate-city", "--items", "999999", "--out", str(tmp_path)]).exit_code == 1
