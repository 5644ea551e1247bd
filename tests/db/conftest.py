"""A private PostgreSQL for the session, a fresh database for each test."""

import itertools
import os
import shutil
import sys
import tempfile

import psycopg2
import pytest

SRCDIR = os.environ.get("TURNOUT_SRCDIR") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SRCDIR, "tests"))

from stacklib import postgres  # noqa: E402

NAMES = itertools.count(1)


@pytest.fixture(scope="session")
def server():
    if not shutil.which("psql"):
        pytest.skip("PostgreSQL is not installed")
    directory = tempfile.mkdtemp(prefix="turnout-db-")
    os.chmod(directory, 0o755)
    for name in ("log", "run"):
        os.makedirs(os.path.join(directory, name), exist_ok=True)
    pg = postgres.Postgres(directory, SRCDIR)
    try:
        pg.start()
        pg.make_database(postgres.PRISTINE)
        yield pg
    finally:
        pg.stop()
        shutil.rmtree(directory, ignore_errors=True)


class Database:
    def __init__(self, server, name):
        self.server = server
        self.name = name
        self.open = []

    def connect(self, user="postgres"):
        c = psycopg2.connect(host=self.server.host, port=5432, user=user,
                             dbname=self.name)
        c.autocommit = True
        self.open.append(c)
        return c

    def rows(self, sql, *args, user="postgres"):
        c = self.connect(user)
        try:
            with c.cursor() as cursor:
                cursor.execute(sql, args or None)
                return cursor.fetchall() if cursor.description else None
        finally:
            c.close()

    def environment(self):
        return self.server.own_environment(database=self.name)

    def close(self):
        for c in self.open:
            c.close()


@pytest.fixture
def empty(server):
    """A database that nothing was applied to."""
    name = f"t{next(NAMES)}"
    server.psql(f"CREATE DATABASE {name}", database="postgres")
    db = Database(server, name)
    yield db
    db.close()


@pytest.fixture
def db(server):
    """A database with the schema of sql/."""
    name = f"t{next(NAMES)}"
    server.copy_database(name)
    db = Database(server, name)
    yield db
    db.close()
