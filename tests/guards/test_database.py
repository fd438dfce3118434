"""Every table has a migration, the chain has one head, and the models say what the database holds."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask

from core import db
from gateway.database import heads


def test_one_head() -> None:
    assert len(heads()) == 1


def test_models_and_migrations_agree(app: Flask) -> None:
    with db.engine().connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _parents: (
                    not (kind == "table" and name.startswith("procrastinate_"))
                ),
            },
        )
        differences = compare_metadata(context, db.Base.metadata)
    assert differences == []


def test_personal_columns_are_encrypted(app: Flask) -> None:
    """A text column that sounds like a person's data must be of the encrypted type."""
    telling = ("phone", "document_number", "id_number", "address_detail", "receiver_name", "person_name")
    plain = [
        f"{table.name}.{column.name}"
        for table in db.Base.metadata.sorted_tables
        for column in table.columns
        if column.name in telling and not isinstance(column.type, db.Encrypted)
    ]
    assert plain == []
