"""The README's examples are real answers: each command is run, and says what
stands below it."""

import json
import os
import re
import shlex
import subprocess

import pytest
from fixtures import SRC, site_of

PLACE = "http://127.0.0.1:8080"
MOVING = ("as_of", "lag", "version")  # what no two answers share


def examples():
    """[(command, what it is said to print)] of the blocks with prompts."""
    with open(os.path.join(SRC, "README.md"), encoding="utf-8") as f:
        blocks = re.findall(r"^```\n(\$ .*?)^```", f.read(), re.M | re.S)
    return [tuple(part.split("\n", 1)) for block in blocks
            for part in re.split(r"^\$ ", block, flags=re.M)[1:]]


EXAMPLES = examples()


@pytest.fixture(scope="module")
def url(request):
    return site_of("2015-03-08", "readme", request).url


def still(answer):
    return {k: v for k, v in answer.items() if k not in MOVING}


def test_there_are_examples():
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize("command, said", EXAMPLES,
                         ids=[command for command, _ in EXAMPLES])
def test_an_example_is_a_real_answer(url, command, said):
    curl = shlex.split(command.removesuffix(" | jq ."))
    assert curl[0] == "curl" and any(PLACE in word for word in curl)
    out = subprocess.run([word.replace(PLACE, url) for word in curl],
                         text=True, capture_output=True, check=True,
                         timeout=20).stdout
    if said.startswith("{"):
        assert still(json.loads(out)) == still(json.loads(said))
    else:
        assert out.splitlines() == said.splitlines()
