"""A feature's tables are its own: nobody else imports its `models`. (The other rules of import are in pyproject.toml.)"""

import grimp
import pytest

from gateway.models import PACKAGES, feature_modules

# Surfaces may name a feature's enums in their schemas; the commands and tests of the whole load every table.
SURFACES = ("miniprogram_api", "staff_api")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, *SURFACES, "gateway", "partners", cache_dir=None)


def _feature(module: str) -> str:
    """`casework.catalogue` of `casework.catalogue.search.models`."""
    return ".".join(module.split(".")[:2])


def test_tables_are_read_by_their_own_feature_alone(graph: grimp.ImportGraph) -> None:
    tables = feature_modules("models")
    assert len(tables) > 40
    foreign = [
        f"{importer} imports {module}"
        for module in tables
        for importer in sorted(graph.find_modules_that_directly_import(module))
        if _feature(importer) != _feature(module) and importer.split(".")[0] not in SURFACES
    ]
    assert foreign == []
