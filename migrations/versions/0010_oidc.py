"""OpenID Connect provider: clients, signing keys, browsers, authorization requests, consents, grants and their tokens."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    _clients()
    _people()
    _grants()


def _clients() -> None:
    op.create_table(
        "oidc_client",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("client_id", sa.Text, nullable=False, unique=True),
        sa.Column("name_zh", sa.Text, nullable=False),
        sa.Column("name_en", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("auth_method", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary),
        sa.Column("old_secret_hash", sa.LargeBinary),
        sa.Column("old_secret_until", MOMENT),
        sa.Column("jwks", postgresql.JSONB),
        sa.Column("redirect_uris", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("post_logout_redirect_uris", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("backchannel_logout_uri", sa.Text),
        sa.Column("initiate_login_uri", sa.Text),
        sa.Column("scopes", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("max_level", sa.Integer, nullable=False),
        sa.Column("sector", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint("(jwks IS NOT NULL) = (auth_method = 'private_key_jwt')", name="keys_where_used"),
        sa.CheckConstraint("(secret_hash IS NOT NULL) = (auth_method IN ('client_secret_basic', 'client_secret_post'))", name="secret_where_used"),
        sa.CheckConstraint("(type = 'PUBLIC') = (auth_method = 'none')", name="public_without_proof"),
        sa.CheckConstraint("auth_method IN ('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt')", name="auth_method_known"),
        sa.CheckConstraint("type IN ('PUBLIC', 'CONFIDENTIAL')", name="type_known"),
        sa.CheckConstraint("(old_secret_hash IS NULL) = (old_secret_until IS NULL)", name="old_secret_ends"),
        sa.CheckConstraint("max_level BETWEEN 1 AND 4", name="level_known"),
    )
    op.create_table(
        "oidc_signing_key",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kid", sa.Text, nullable=False, unique=True),
        sa.Column("private_key", sa.LargeBinary, nullable=False),
        sa.Column("public_jwk", postgresql.JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("activated_at", MOMENT),
        sa.Column("leaves_at", MOMENT),
        sa.CheckConstraint("(state = 'RETIRING') = (leaves_at IS NOT NULL)", name="retiring_leaves"),
        sa.CheckConstraint("state IN ('NEXT', 'ACTIVE', 'RETIRING')", name="state_known"),
    )
    op.create_index("uq_oidc_signing_key_active", "oidc_signing_key", ["state"], unique=True, postgresql_where=sa.text("state = 'ACTIVE'"))
    op.create_index("uq_oidc_signing_key_next", "oidc_signing_key", ["state"], unique=True, postgresql_where=sa.text("state = 'NEXT'"))
    op.create_table(
        "oidc_assertion",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("client_key", sa.Uuid, sa.ForeignKey("oidc_client.id"), nullable=False),
        sa.Column("jti_hash", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.UniqueConstraint("client_key", "jti_hash"),
    )
    op.create_index("ix_oidc_assertion_expires_at", "oidc_assertion", ["expires_at"])


def _people() -> None:
    op.create_table(
        "oidc_browser",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("session_id", sa.Uuid, sa.ForeignKey("citizen_session.id", ondelete="SET NULL")),
        sa.Column("auth_time", MOMENT),
        sa.Column("amr", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint("session_id IS NULL OR auth_time IS NOT NULL", name="signed_in_since"),
    )
    op.create_index("ix_oidc_browser_expires_at", "oidc_browser", ["expires_at"])
    op.create_index("ix_oidc_browser_session_id", "oidc_browser", ["session_id"])
    op.create_table(
        "oidc_interaction",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("handle", sa.Text, nullable=False, unique=True),
        sa.Column("browser_id", sa.Uuid, sa.ForeignKey("oidc_browser.id", ondelete="CASCADE"), nullable=False),
        sa.Column("client_key", sa.Uuid, sa.ForeignKey("oidc_client.id"), nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("state", sa.Text),
        sa.Column("nonce", sa.Text),
        sa.Column("code_challenge", sa.Text, nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("levels", postgresql.ARRAY(sa.Integer), nullable=False),
        sa.Column("essential", sa.Boolean, nullable=False),
        sa.Column("prompts", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("max_age", sa.Integer),
        sa.Column("login_hint", sa.LargeBinary),
        sa.Column("hinted_sub", sa.Text),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("account_session_id", sa.Uuid),
        sa.Column("step_up_declined", sa.Boolean, nullable=False),
        sa.Column("consented_at", MOMENT),
        sa.Column("finished_at", MOMENT),
        sa.Column("outcome", sa.Text),
        sa.Column("grant_id", sa.Uuid),
        sa.CheckConstraint("(finished_at IS NULL) = (outcome IS NULL)", name="finished_has_outcome"),
        sa.CheckConstraint("max_age IS NULL OR max_age >= 0", name="max_age_positive"),
    )
    op.create_index("ix_oidc_interaction_browser_id", "oidc_interaction", ["browser_id"])
    op.create_index("ix_oidc_interaction_expires_at", "oidc_interaction", ["expires_at"])
    op.create_table(
        "oidc_sign_out",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("handle", sa.Text, nullable=False, unique=True),
        sa.Column("browser_id", sa.Uuid, sa.ForeignKey("oidc_browser.id", ondelete="CASCADE"), nullable=False),
        sa.Column("client_key", sa.Uuid, sa.ForeignKey("oidc_client.id")),
        sa.Column("redirect_to", sa.Text),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
    )
    op.create_index("ix_oidc_sign_out_browser_id", "oidc_sign_out", ["browser_id"])
    op.create_index("ix_oidc_sign_out_expires_at", "oidc_sign_out", ["expires_at"])
    op.create_table(
        "oidc_consent",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("client_key", sa.Uuid, sa.ForeignKey("oidc_client.id"), nullable=False),
        sa.Column("fields", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("text_version", sa.Text, nullable=False),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("withdrawn_at", MOMENT),
        sa.CheckConstraint("fields <@ ARRAY['name', 'birthdate', 'phone_number', 'document_type', 'document_number', 'identity_level']::text[]", name="fields_known"),
    )
    op.create_index("ix_oidc_consent_subject_id", "oidc_consent", ["subject_id"])
    op.create_index("uq_oidc_consent_standing", "oidc_consent", ["subject_id", "client_key"], unique=True, postgresql_where=sa.text('withdrawn_at IS NULL'))
    op.create_table(
        "oidc_subject",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("sector", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("sub", sa.Text, nullable=False),
        sa.UniqueConstraint("sector", "sub"),
        sa.UniqueConstraint("sector", "subject_id"),
    )
    op.create_index("ix_oidc_subject_subject_id", "oidc_subject", ["subject_id"])


def _grants() -> None:
    op.create_table(
        "oidc_sign_on",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("client_key", sa.Uuid, sa.ForeignKey("oidc_client.id"), nullable=False),
        sa.Column("session_id", sa.Uuid, sa.ForeignKey("citizen_session.id", ondelete="CASCADE"), nullable=False),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("sub", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("told_at", MOMENT),
    )
    op.create_index("ix_oidc_sign_on_session_id", "oidc_sign_on", ["session_id"])
    op.create_index("ix_oidc_sign_on_subject_id", "oidc_sign_on", ["subject_id"])
    op.create_index("uq_oidc_sign_on_standing", "oidc_sign_on", ["session_id", "client_key"], unique=True, postgresql_where=sa.text('ended_at IS NULL'))
    op.create_table(
        "oidc_grant",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("sign_on_id", sa.Uuid, sa.ForeignKey("oidc_sign_on.id", ondelete="CASCADE"), nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("code_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("code_challenge", sa.Text, nullable=False),
        sa.Column("code_expires_at", MOMENT, nullable=False),
        sa.Column("code_used_at", MOMENT),
        sa.Column("nonce", sa.Text),
        sa.Column("scopes", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("auth_time", MOMENT, nullable=False),
        sa.Column("amr", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT),
        sa.Column("revoke_reason", sa.Text),
        sa.CheckConstraint("(revoked_at IS NULL) = (revoke_reason IS NULL)", name="revoked_has_reason"),
    )
    op.create_index("ix_oidc_grant_created_at", "oidc_grant", ["created_at"])
    op.create_index("ix_oidc_grant_sign_on_id", "oidc_grant", ["sign_on_id"])
    op.create_table(
        "oidc_token",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("grant_id", sa.Uuid, sa.ForeignKey("oidc_grant.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("scopes", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT),
        sa.CheckConstraint("kind IN ('ACCESS', 'REFRESH')", name="kind_known"),
        sa.CheckConstraint("used_at IS NULL OR kind = 'REFRESH'", name="refresh_is_used"),
    )
    op.create_index("ix_oidc_token_expires_at", "oidc_token", ["expires_at"])
    op.create_index("ix_oidc_token_grant_id", "oidc_token", ["grant_id"])
