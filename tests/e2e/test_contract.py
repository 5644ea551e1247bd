"""The live API against www/openapi.json, by schemathesis: whatever a program
makes of the contract is answered as the contract says.

TURNOUT_CONTRACT_CASES=n asks n requests or some more.
"""

import os
import re
import subprocess

import pytest
from fixtures import HERE, SRC, site_of
from stacklib import fetched, proc

CASES = int(os.environ.get("TURNOUT_CONTRACT_CASES", "500"))
CONTRACT = os.path.join(SRC, "www", "openapi.json")


@pytest.fixture(scope="module")
def tools():
    """The folder of the programs that ./bootstrap fetches."""
    try:
        return os.path.dirname(fetched.find("bin", "schemathesis"))
    except proc.Missing as why:
        pytest.skip(str(why))


@pytest.fixture(scope="module")
def site(tools, request):
    return site_of("2017-03-19", "schemathesis", request).url


def run(folder, *command, **environment):
    done = subprocess.run(
        command, text=True, cwd=folder, stdin=subprocess.DEVNULL, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=800,
        env={**os.environ, "LC_ALL": "C.UTF-8", **environment})
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_document_is_openapi(tools, tmp_path):
    assert "OK" in run(tmp_path, os.path.join(tools, "openapi-spec-validator"),
                       CONTRACT)


def test_generated_requests_are_answered_by_the_contract(
        site, tools, tmp_path, request):
    cases = 0
    while cases < CASES:
        said = run(
            tmp_path, os.path.join(tools, "schemathesis"),
            "--config-file", os.path.join(HERE, "schemathesis.toml"),
            "run", CONTRACT, "--url", site,
            "--max-examples", str(max(5, CASES // 20)), "--warnings", "off",
            "--seed", str(request.config.seed + cases), "--no-color",
            "--generation-database", "none",
            PYTHONPATH=HERE, SCHEMATHESIS_HOOKS="contract_hooks")
        print(said[said.index("= SUMMARY ="):])
        generated = int(re.search(r"(\d+) generated", said)[1])
        passed = int(re.search(r"(\d+) passed", said.split("Test cases")[1])[1])
        assert generated == passed > 0
        cases += generated
