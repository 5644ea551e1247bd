"""The contract www/openapi.json against the live API: its examples are real
answers, its schemas have every member, its parameters are those taken."""

import datetime
import json
import os
import re

import jsonschema
import pytest
import requests
from fixtures import SRC, site_of

with open(os.path.join(SRC, "www", "openapi.json"), encoding="utf-8") as f:
    CONTRACT = json.load(f)
# What no two answers share.
MOVING = ("as_of", "lag", "version")
OPERATIONS = [(path, item["get"]) for path, item in CONTRACT["paths"].items()]
EXAMPLES = [
    (operation, name, example) for _, operation in OPERATIONS
    for name, example in operation["responses"]["200"]["content"][
        "application/json"].get("examples", {}).items()]


@pytest.fixture(scope="module")
def site(request):
    return site_of("2017-03-19", "contract", request)


def resolve(part):
    while "$ref" in part:
        name = part["$ref"]
        found = CONTRACT
        for step in name.removeprefix("#/").split("/"):
            found = found[step]
        rest = {k: v for k, v in part.items() if k != "$ref"}
        part = {**found, **rest}
    return part


def closed(part):
    """The contract allows new members; here one that it does not name is a
    fault."""
    if isinstance(part, list):
        return [closed(item) for item in part]
    if not isinstance(part, dict):
        return part
    made = {name: closed(item) for name, item in part.items()}
    if "properties" in made:
        made.setdefault("additionalProperties", False)
    return made


FORMATS = jsonschema.FormatChecker(())


@FORMATS.checks("date-time", ValueError)
def is_time(value):
    return not isinstance(value, str) or bool(
        datetime.datetime.strptime(value[:19] + value[-1:],
                                   "%Y-%m-%dT%H:%M:%SZ"))


def faults(schema, value):
    """What of a value is not as its schema has it."""
    found = jsonschema.Draft202012Validator(
        closed(schema), format_checker=FORMATS,
        resolver=jsonschema.RefResolver("", closed(CONTRACT)))
    return [f"{e.json_path}: {e.message}" for e in found.iter_errors(value)]


def schema_of(operation, status, kind="application/json"):
    answer = resolve(operation["responses"][str(status)])
    return answer["content"][kind]["schema"]


def test_the_contract_is_served_as_it_is(site):
    answer = requests.get(site.url + "/api/openapi.json", timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json() == CONTRACT
    assert CONTRACT["openapi"].startswith("3.1.")


def test_every_reference_leads_somewhere_and_every_part_is_used():
    text = json.dumps(CONTRACT)
    used = set(re.findall(r'"\$ref": "#/components/(\w+/\w+)"', text))
    there = {f"{kind}/{name}" for kind, parts
             in CONTRACT["components"].items() for name in parts}
    assert used == there


def test_every_pattern_takes_what_the_server_takes():
    known = CONTRACT["components"]["parameters"]

    def match(name, value):
        return bool(re.search(known[name]["schema"]["pattern"], value))
    day = datetime.date(1970, 1, 1)
    while day.year < 2405:
        assert match("Date", day.isoformat()), day
        day += datetime.timedelta(days=1)
    for bad in ("1969-12-31", "2017-02-29", "2100-02-29", "2017-04-31",
                "2017-13-01", "2017-1-1", "02017-01-01"):
        assert not match("Date", bad), bad
        assert not match("From", bad + "T00:00:00Z"), bad
    for unit, most in (("m", 576000), ("h", 9600), ("d", 400)):
        for n in (1, 9, 10, 99, 100, 399, most - 1, most):
            assert match("Window", f"{n}{unit}"), (n, unit)
        for n in ("0", "01", "-1", "", most + 1, most * 10):
            assert not match("Window", f"{n}{unit}"), (n, unit)
    assert match("To", "2017-03-19T12:30:00.123+01:00")
    assert not match("To", "2017-03-19T12:30:00.1234Z")
    assert not match("To", "2017-03-19T24:00:00Z")


@pytest.mark.parametrize("operation, name, example", EXAMPLES, ids=[
    f"{operation['operationId']}-{name}" for operation, name, _ in EXAMPLES])
def test_an_example_is_the_real_answer(site, operation, name, example):
    method, path = example["summary"].split(" ", 1)
    assert method == "GET"
    answer = requests.get(site.url + path, timeout=10)
    assert answer.status_code == 200, answer.text
    schema = schema_of(operation, 200)
    assert faults(schema, example["value"]) == []
    assert faults(schema, answer.json()) == []

    def still(body):
        return {k: v for k, v in body.items() if k not in MOVING} \
            if isinstance(body, dict) else body
    assert still(answer.json()) == still(example["value"])


def some_path(site, path):
    """The path with an id that is there."""
    for kind in ("event", "group", "venue", "member"):
        if f"{{{kind}_id}}" in path:
            found = site.query(f"SELECT {kind}_id FROM turnout.{kind}s"
                               " ORDER BY 1 LIMIT 1")[0][0]
            return path.replace(f"{{{kind}_id}}", str(found))
    return path


def names(operation):
    found = [resolve(p) for p in operation["parameters"]]
    return [p["name"] for p in found if p["in"] == "query"], {
        p["name"] for p in found if p.get("required") and p["in"] == "query"}


@pytest.mark.parametrize("path, operation", OPERATIONS,
                         ids=[path for path, _ in OPERATIONS])
def test_the_parameters_are_those_that_are_taken(site, path, operation):
    known, required = names(operation)
    answer = requests.get(site.url + some_path(site, path) + "?x=1",
                          timeout=10)
    assert answer.status_code == 400
    assert faults(schema_of(operation, 400, "application/problem+json"),
                  answer.json()) == []
    allowed = answer.json()["allowed"]
    assert set(known) == (set() if allowed == "no parameters"
                          else set(allowed.split(", ")))
    bare = requests.get(site.url + some_path(site, path), timeout=10)
    assert bare.status_code == (400 if required else 200)
    if not required:
        assert faults(schema_of(operation, 200), bare.json()) == []
        for header in bare.headers:
            if header in ("ETag", "Vary", "X-Turnout-Stale"):
                assert header in operation["responses"]["200"]["headers"]


VALUES = {"window": "1h", "date": "2017-03-19",
          "from": "2017-03-19T00:00:00Z", "to": "2017-03-20T00:00:00Z"}
RULES = [(path, operation["x-rules"]) for path, operation in OPERATIONS
         if "x-rules" in operation]


@pytest.mark.parametrize("path, rules", RULES, ids=[p for p, _ in RULES])
def test_the_rules_for_combining_are_kept(site, path, rules):
    """All sets of range parameters: 200 where the rules allow it, else 400
    that names both or what is missing."""
    names_ = sorted(set(VALUES) & set(names(CONTRACT["paths"][path]["get"])[0]))
    for number in range(1 << len(names_)):
        given = [n for i, n in enumerate(names_) if number >> i & 1]
        wrong = [pair for pair in rules.get("exclusive", [])
                 if set(pair) <= set(given)]
        lacking = [n for n in given if n in rules["needs"]
                   and not set(rules["needs"][n]) & set(given)]
        answer = requests.get(site.url + some_path(site, path), timeout=10,
                              params={n: VALUES[n] for n in given})
        assert answer.status_code == (400 if wrong or lacking else 200), given
        if wrong:
            assert any(all(f'"{n}"' in answer.json()["detail"] for n in pair)
                       for pair in wrong), answer.text
        elif lacking:
            assert answer.json()["param"] in rules["needs"][lacking[0]]
    first, last = rules["ordered"]
    answer = requests.get(
        site.url + some_path(site, path), timeout=10,
        params={first: VALUES["from"], last: VALUES["from"]})
    assert answer.status_code == 400 and answer.json()["param"] == first


def test_every_route_of_the_api_is_in_the_contract():
    with open(os.path.join(SRC, "fcgi", "route.c"), encoding="utf-8") as f:
        rows = re.findall(
            r'^\t\{ "(/api/[^"]*)", +(?:NULL|"([^"]+)"),', f.read(), re.M)
    assert len(rows) > 5
    for path in CONTRACT["paths"]:
        before, _, behind = path.partition("{")
        rows.remove((before, behind.partition("}")[2]))
    assert rows == []
