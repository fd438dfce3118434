"""Announce what lowers or raises a citizen's level, or ends a session, as it commits (auth.sessions.authenticator)."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION citizen_changed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_TABLE_NAME = 'subject' THEN
                PERFORM pg_notify('citizen_changed', OLD.id::text);
            ELSIF TG_OP = 'INSERT' THEN
                PERFORM pg_notify('citizen_changed', NEW.subject_id::text);
            ELSE
                PERFORM pg_notify('citizen_changed', OLD.subject_id::text);
                IF TG_OP = 'UPDATE' AND NEW.subject_id <> OLD.subject_id THEN
                    PERFORM pg_notify('citizen_changed', NEW.subject_id::text);
                END IF;
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER citizen_changed AFTER UPDATE ON subject FOR EACH ROW
        WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION citizen_changed()
    """)
    # A session that merely slides on is no news: it would be announced at every refresh.
    op.execute("""
        CREATE TRIGGER citizen_changed AFTER UPDATE ON citizen_session FOR EACH ROW
        WHEN ((OLD.ended_at, OLD.subject_id, OLD.proofs_since) IS DISTINCT FROM (NEW.ended_at, NEW.subject_id, NEW.proofs_since)
              OR NEW.expires_at < OLD.expires_at)
        EXECUTE FUNCTION citizen_changed()
    """)
    op.execute("""
        CREATE TRIGGER citizen_session_deleted AFTER DELETE ON citizen_session FOR EACH ROW
        WHEN (OLD.ended_at IS NULL) EXECUTE FUNCTION citizen_changed()
    """)
    # Neither is a phone proven at each sign-in: only proofs of identity raise a level that is kept.
    op.execute("""
        CREATE TRIGGER citizen_proved AFTER INSERT ON identity_evidence FOR EACH ROW
        WHEN (NEW.result = 'PASS' AND NEW.type NOT IN ('PHONE', 'WECHAT')) EXECUTE FUNCTION citizen_changed()
    """)
    op.execute("""
        CREATE TRIGGER citizen_changed AFTER UPDATE ON identity_evidence FOR EACH ROW
        WHEN ((OLD.revoked_at, OLD.result, OLD.subject_id) IS DISTINCT FROM (NEW.revoked_at, NEW.result, NEW.subject_id)
              OR NEW.expires_at < OLD.expires_at)
        EXECUTE FUNCTION citizen_changed()
    """)
