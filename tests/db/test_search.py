"""Search finds what it should, and the form's choices are counted."""

import re
import unicodedata

import pytest
from psycopg2 import errors
from psycopg2.extras import Json, execute_values

GROUPS = [
    (1, "Café Lovers", "München", "de", ["coffee", "wine"]),
    (2, "Python Users", "Évry", "FR", ["python", "coffee"]),
    (3, "Python Users Berlin", "Berlin", "de", ["python"]),
    (4, None, "MÜNCHEN", "DE", None),
    (5, "東京 Hikers", "東京", "jp", []),
    (6, "O'Reilly & Friends", None, None, ["python"]),
]
EVENTS = [
    ("e1", 1, "Espresso: an evening"), ("e2", 2, "Décorateurs, part 2"),
    ("e3", 3, "Decorators"), ("e4", 4, None), ("e5", 5, "Mount Takao"),
    ("e6", 6, "It's \\ 'quoted' :* & more"), ("e7", 99, "Espresso alone"),
    ("e8", 1, "İstanbul ﬁlm night"),
]


@pytest.fixture
def cursor(db):
    c = db.connect().cursor()
    execute_values(c, "INSERT INTO turnout.groups (group_id, name, city,"
                   " country, topics, content_hash, src_ts, src_part,"
                   " src_offset) VALUES %s", [
                       (*row[:4], None if row[4] is None else Json(
                           [{"urlkey": t, "topic_name": t.title()}
                            for t in row[4]]), 0, 0, 0, 0)
                       for row in GROUPS])
    execute_values(c, "INSERT INTO turnout.events (event_id, group_id, name,"
                   " content_hash, src_ts, src_part, src_offset) VALUES %s",
                   [(*row, 0, 0, 0, 0) for row in EVENTS])
    c.execute("INSERT INTO turnout.rsvps (rsvp_id, event_id, mtime_ms,"
              " response) VALUES (1, 'e3', 1, 'yes'), (2, 'e3', 1, 'yes'),"
              " (3, 'e8', 1, 'yes'), (4, 'e1', 1, 'no')")
    yield db.connect("turnout_web").cursor()


def search(cursor, q, at_most=10):
    cursor.execute("SELECT * FROM turnout.search_events(%s, %s)",
                   (q, at_most))
    return cursor.fetchall()


@pytest.mark.parametrize("q, want", [
    ("espresso", ["e1", "e7"]), ("ESPR", ["e1", "e7"]), ("spresso", []),
    ("decorateurs", ["e2"]), ("décor", ["e3", "e2"]),
    ("munchen", ["e8", "e1", "e4"]), ("cafe muenchen", []),
    ("MÜNCHEN esp", ["e1"]), ("python", ["e3", "e2"]),
    ("decor python berlin", ["e3"]),
    ("decor python berlin b be ber berl berli 0nobody", ["e3"]),
    ("decor python berlin b be ber berl 0nobody", []), ("evry decorateurs", ["e2"]),
    ("東京", ["e5"]), ("istanbul film", ["e8"]), ("quoted", ["e6"]),
    ("o'reilly", ["e6"]), ("'", []), ("", []), (":*", []), ("\\", []),
    ("a & b | !c <-> (d", []), (None, []), ("x" * 5000, [])])
def test_search_finds(cursor, q, want):
    assert [row[0] for row in search(cursor, q)] == want


def test_search_ranks_by_rsvps_and_is_cut(cursor):
    assert search(cursor, "decor") == [("e3", 2, 2), ("e2", 0, 0)]
    assert search(cursor, "decor", 1) == [("e3", 2, 2)]


@pytest.mark.parametrize("at_most", [0, 101, None])
def test_search_has_a_limit(cursor, at_most):
    with pytest.raises(errors.InvalidParameterValue):
        search(cursor, "x", at_most)


def test_choices_are_counted(cursor):
    def ask(name, at_most):
        cursor.execute(f"SELECT * FROM turnout.{name}(%s)", (at_most,))
        return cursor.fetchall()
    assert ask("topics", 10) == [("python", "Python", 3),
                                 ("coffee", "Coffee", 2), ("wine", "Wine", 1)]
    assert ask("topics", 1) == [("python", "Python", 3)]
    assert ask("countries", 10) == [("de", 3), ("fr", 1), ("jp", 1)]
    assert ask("cities", 2) == [("MÜNCHEN", "de", 2), ("Berlin", "de", 1)]


def test_a_search_goes_through_its_indexes(db):
    with db.connect().cursor() as c:
        c.execute("""
            INSERT INTO turnout.groups (group_id, name, city, content_hash,
                src_ts, src_part, src_offset)
            SELECT g, 'Group ' || md5(g::text), 'City ' || g, 0, 0, 0, 0
            FROM generate_series(1, 500) AS g;
            INSERT INTO turnout.events (event_id, group_id, name,
                content_hash, src_ts, src_part, src_offset)
            SELECT e, e % 500, 'Event ' || md5(e::text), 0, 0, 0, 0
            FROM generate_series(1, 5000) AS e""")
        c.execute("""
            LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0;
            SET auto_explain.log_nested_statements = on;
            SET client_min_messages = log""")
        search(c, "event c4ca4")
        plans = "".join(c.connection.notices)
    assert {"events_words", "groups_words"} <= set(
        re.findall(r"Index Scan on (\w+)", plans))
    assert "Seq Scan" not in plans


def test_a_group_of_all_words_is_found_among_many_of_one(db):
    with db.connect().cursor() as c:
        c.execute("""
            INSERT INTO turnout.groups (group_id, name, city, content_hash,
                src_ts, src_part, src_offset)
            SELECT g, 'New thing ' || g, NULL, 0, 0, 0, 0
            FROM generate_series(1, 2000) AS g
            UNION ALL SELECT 5000, 'Python Users', 'New York', 0, 0, 0, 0;
            INSERT INTO turnout.events (event_id, group_id, name,
                content_hash, src_ts, src_part, src_offset)
            VALUES ('e', 5000, 'Monday evening', 0, 0, 0, 0)""")
        assert [row[0] for row in search(c, "python new york")] == ["e"]


def test_a_key_is_what_python_says(db):
    names = ["Évry", "ﬁn", "İzmir", "Ångström", "ΑΘΉΝΑ", "x²", "straße"]

    def key(name):
        plain = unicodedata.normalize("NFKD", name).lower()
        return re.sub("[\u0300-\u036f]", "", plain)
    assert db.rows("SELECT turnout.search_key(n) FROM unnest(%s) AS n",
                   names) == [(key(n),) for n in names]
