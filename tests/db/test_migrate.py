"""sql/migrate: each file once, in order, whole, and unchanged ever after."""

import os
import shutil
import subprocess

import pytest
from conftest import SRCDIR

SQL = os.path.join(SRCDIR, "sql")
FILES = sorted(f for f in os.listdir(SQL) if f[:3].isdigit())


def run(where, db, *args):
    return subprocess.run([os.path.join(where, "migrate"), *args], text=True,
                          env=db.environment(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)


@pytest.fixture
def copy(tmp_path):
    """sql/ in a folder of its own, to be spoilt."""
    where = tmp_path / "sql"
    shutil.copytree(SQL, where)
    os.chmod(where, 0o755)
    return str(where)


def versions(db):
    return [v for v, in db.rows(
        "SELECT version FROM turnout.schema_version ORDER BY 1")]


def test_all_are_applied_once_and_then_none(empty):
    first = run(SQL, empty)
    assert first.returncode == 0, first.stdout
    assert first.stdout.split() == [w for f in FILES for w in ("applied", f)]
    again = run(SQL, empty)
    assert (again.returncode, again.stdout) == (0, "")
    assert versions(empty) == list(range(1, len(FILES) + 1))


def test_two_at_once_apply_each_file_once(empty):
    both = [subprocess.Popen([os.path.join(SQL, "migrate")], text=True,
                             env=empty.environment(), stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT) for _ in range(2)]
    told = "".join(p.communicate()[0] for p in both)
    assert [p.returncode for p in both] == [0, 0], told
    assert told.count("applied") == len(FILES), told


def test_a_file_that_was_changed_is_named(empty, copy):
    assert run(copy, empty).returncode == 0
    with open(os.path.join(copy, FILES[0]), "a") as f:
        f.write("-- changed\n")
    done = run(copy, empty)
    assert done.returncode == 1
    assert f"{FILES[0]} was changed" in done.stdout


@pytest.mark.parametrize("spoil, said", [
    (lambda c: os.rename(f"{c}/{FILES[1]}", f"{c}/099_late.sql"),
     "number 2 is missing"),
    (lambda c: shutil.copy(f"{c}/{FILES[1]}", f"{c}/002_again.sql"),
     "number 2 is there twice")])
def test_a_gap_and_a_number_twice_are_named(empty, copy, spoil, said):
    spoil(copy)
    done = run(copy, empty)
    assert done.returncode == 1 and said in done.stdout
    assert not empty.rows("SELECT to_regclass('turnout.rsvps')")[0][0]


def test_a_newer_database_is_refused(empty, copy):
    assert run(copy, empty).returncode == 0
    os.remove(os.path.join(copy, FILES[-1]))
    done = run(copy, empty)
    assert done.returncode == 1
    assert f"at version {len(FILES)}, newer" in done.stdout


def test_a_migration_that_fails_leaves_nothing(empty, copy):
    last = len(FILES) + 1
    with open(os.path.join(copy, f"{last:03}_bad.sql"), "w") as f:
        f.write("CREATE TABLE half (x int);\nSELECT 1/0;\n")
    done = run(copy, empty)
    assert done.returncode == 1 and "division by zero" in done.stdout
    assert versions(empty) == list(range(1, last))
    assert empty.rows("SELECT to_regclass('turnout.half')") == [(None,)]
    os.remove(os.path.join(copy, f"{last:03}_bad.sql"))
    assert run(copy, empty).returncode == 0


def test_nobody_stores_before_it_is_counted(empty, copy):
    """A daemon that finds the first tables only must not fill them: what it
    stored there no counter would ever know."""
    for name in FILES[1:]:
        os.remove(os.path.join(copy, name))
    may = ("SELECT has_table_privilege('turnout_ingest', 'turnout.rsvps', p)"
           " FROM unnest(ARRAY['INSERT', 'UPDATE']) AS p")
    assert run(copy, empty).returncode == 0
    assert empty.rows(may) == [(False,), (False,)]
    assert run(SQL, empty).returncode == 0
    assert empty.rows(may) == [(True,), (True,)]


def test_status_and_dry_run_change_nothing(empty):
    for option, word in (("--status", "pending"), ("--dry-run", "would")):
        done = run(SQL, empty, option)
        assert done.returncode == 0
        assert done.stdout.count(word) == len(FILES)
    assert empty.rows("SELECT to_regnamespace('turnout')") == [(None,)]


def test_help_and_wrong_usage(empty):
    assert "usage: migrate" in run(SQL, empty, "--help").stdout
    assert run(SQL, empty, "--frobnicate").returncode == 64
    gone = run(SQL, empty, "-d", "nonesuch")
    assert gone.returncode == 2 and "could not ask" in gone.stdout
