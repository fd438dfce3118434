"""Signing keys of two algorithms; which of them a client's ID tokens are signed with."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

KNOWN = "IN ('RS256', 'ES256')"


def upgrade() -> None:
    op.add_column("oidc_signing_key", sa.Column("algorithm", sa.Text, nullable=False, server_default="RS256"))
    op.alter_column("oidc_signing_key", "algorithm", server_default=None)
    op.create_check_constraint("algorithm_known", "oidc_signing_key", f"algorithm {KNOWN}")
    for state in ("active", "next"):
        name = f"uq_oidc_signing_key_{state}"
        op.drop_index(name, "oidc_signing_key")
        where = sa.text(f"state = '{state.upper()}'")
        op.create_index(name, "oidc_signing_key", ["algorithm"], unique=True, postgresql_where=where)
    op.add_column("oidc_client", sa.Column("id_token_algorithm", sa.Text, nullable=False, server_default="RS256"))
    op.alter_column("oidc_client", "id_token_algorithm", server_default=None)
    op.create_check_constraint("id_token_algorithm_known", "oidc_client", f"id_token_algorithm {KNOWN}")
