"""axe-core finds no violation of WCAG 2.2 AA, and of its best practice."""

import pytest
from pages import KINDS
from stacklib import fetched, proc

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
        "best-practice"]
RUN = """
const [only, done] = arguments;
axe.run(document, {runOnly: only, resultTypes: ["violations"]})
    .then((r) => done(r.violations), (e) => done([{id: String(e),
        nodes: []}]));
"""


@pytest.fixture(scope="module")
def axe():
    try:
        path = fetched.module("axe_playwright_python", "axe.min.js")
    except proc.Missing as why:
        pytest.skip(str(why))
    with open(path, encoding="utf-8") as f:
        return f.read()


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_nothing_keeps_anybody_out(browser, site, axe, kind):
    wrong = []
    browser.go(site.url + site.path(kind))
    browser.js(axe)
    # Dark differs in its colours only.
    for scheme, only in [("light", TAGS), ("dark", ["color-contrast"])]:
        browser.media(prefers_color_scheme=scheme,
                      prefers_reduced_motion="reduce")
        for width in (360, 1600):
            browser.size(width)
            for found in browser.wait_js(RUN, only):
                nodes = [node["html"][:200] + ": "
                         + " ".join(node["failureSummary"].split())[:200]
                         for node in found["nodes"]]
                wrong.append(f"{scheme} {width}: {found['id']}: "
                             + "\n    ".join(nodes[:3]))
    assert not wrong, "\n".join(wrong)
