"""Triggers: the log is append-only, and every new event is put on the sequencer's work list."""

from django.db import migrations

TABLES = ["audit_auditevent", "audit_auditleaf", "audit_auditnode", "audit_auditcheckpoint"]

REFUSE = """
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is append-only: % on % refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege',
          HINT = 'Correct a record by writing another event. See docs/reference/audit.md.';
END $$
"""

# ENABLE ALWAYS: they also fire under session_replication_role = replica.
PROTECT = """
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER audit_no_change;
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER audit_no_truncate
"""

UNPROTECT = "DROP TRIGGER audit_no_change ON {table}; DROP TRIGGER audit_no_truncate ON {table}"

QUEUE = """
CREATE FUNCTION audit_queue_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_auditpending (event_id) SELECT id FROM new_events;
  RETURN NULL;
END $$;
CREATE TRIGGER audit_queue AFTER INSERT ON audit_auditevent
  REFERENCING NEW TABLE AS new_events FOR EACH STATEMENT EXECUTE FUNCTION audit_queue_events();
INSERT INTO audit_auditpending (event_id) SELECT id FROM audit_auditevent
"""

UNQUEUE = "DROP TRIGGER audit_queue ON audit_auditevent; DROP FUNCTION audit_queue_events()"


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE, "DROP FUNCTION audit_refuse_change()"),
        *(migrations.RunSQL(PROTECT.format(table=table), UNPROTECT.format(table=table)) for table in TABLES),
        migrations.RunSQL(QUEUE, UNQUEUE),
    ]
