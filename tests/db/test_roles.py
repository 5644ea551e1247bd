"""Who may do what, and that everything says what it is."""

import psycopg2
import pytest
from psycopg2 import errors

YES = ("INSERT INTO turnout.rsvps (rsvp_id, event_id, mtime_ms, response)"
       " VALUES (1, 'e', 1489925470960, 'yes')")


@pytest.mark.parametrize("sql", [
    YES, "UPDATE turnout.events SET name = ''", "DELETE FROM turnout.rsvps",
    "CREATE TABLE turnout.x (y int)", "CREATE TABLE public.x (y int)",
    "SELECT * FROM turnout.dead_letters"])
def test_web_only_reads_what_it_shows(db, sql):
    # The right is missing, not only the read-only preset.
    with db.connect("turnout_web").cursor() as c:
        c.execute("SET default_transaction_read_only = off")
        with pytest.raises(errors.InsufficientPrivilege):
            c.execute(sql)


def test_web_is_read_only_and_short_by_preset(db):
    with db.connect("turnout_web").cursor() as c:
        c.execute("SHOW transaction_read_only")
        assert c.fetchone() == ("on",)
        with pytest.raises(errors.QueryCanceled):
            c.execute("SELECT pg_sleep(5)")


@pytest.mark.parametrize("sql", [
    "CREATE TABLE turnout.x (y int)", "DROP TABLE turnout.rsvps",
    "INSERT INTO turnout.event_counts VALUES"
    " ('e', 1, 1, '2017-03-19', '2017-03-19')",
    "DELETE FROM turnout.event_days", "TRUNCATE turnout.rsvps",
    "UPDATE turnout.dead_letters SET reason = ''",
    "DELETE FROM turnout.offset_changes",
    "UPDATE turnout.offset_changes SET reason = 'x'",
    "ALTER TABLE turnout.rsvps DISABLE TRIGGER ALL"])
def test_ingest_cannot_reach_past_its_task(db, sql):
    with pytest.raises(psycopg2.Error) as why:
        db.rows(sql, user="turnout_ingest")
    assert why.value.pgcode == "42501"


def test_what_ingest_writes_is_counted_all_the_same(db):
    db.rows(YES, user="turnout_ingest")
    assert db.rows("SELECT event_id, rsvps, headcount"
                   " FROM turnout.event_counts",
                   user="turnout_web") == [("e", 1, 1)]


def test_nobody_can_put_a_trigger_of_ours_on_a_table_of_their_own(db):
    assert db.rows("""
        SELECT p.proname, r.rolname FROM pg_proc AS p, pg_roles AS r
        WHERE p.pronamespace = 'turnout'::regnamespace
        AND p.prorettype = 'trigger'::regtype
        AND r.rolname IN ('turnout_web', 'turnout_ingest')
        AND has_function_privilege(r.oid, p.oid, 'EXECUTE')""") == []


def test_public_has_nothing(db):
    assert db.rows("SELECT has_schema_privilege('turnout_web', 'public',"
                   " 'USAGE')") == [(False,)]


def test_every_table_column_function_and_type_has_a_comment(db):
    assert db.rows("""
        SELECT c.relname, a.attname FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum >= 0
            AND NOT a.attisdropped
        WHERE c.relnamespace = 'turnout'::regnamespace AND c.relkind = 'r'
        AND col_description(c.oid, a.attnum) IS NULL
        UNION ALL
        SELECT c.relname, '' FROM pg_class c
        WHERE c.relnamespace = 'turnout'::regnamespace AND c.relkind = 'r'
        AND obj_description(c.oid, 'pg_class') IS NULL
        UNION ALL
        SELECT p.proname, '()' FROM pg_proc p
        WHERE p.pronamespace = 'turnout'::regnamespace
        AND obj_description(p.oid, 'pg_proc') IS NULL
        UNION ALL
        SELECT t.typname, 'type' FROM pg_type t
        WHERE t.typnamespace = 'turnout'::regnamespace AND t.typtype = 'e'
        AND obj_description(t.oid, 'pg_type') IS NULL""") == []
