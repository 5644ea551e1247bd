"""A page asks for what is its own, breaks no rule of its own, and says
nothing to the console."""

import pytest
from pages import KINDS

STATUS = "Failed to load resource: the server responded with a status of"


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_the_console_is_empty_and_nothing_is_refused(browser, site, kind):
    browser.go(site.url + site.path(kind))
    browser.until("document.readyState === 'complete'")
    assert browser.js("return window.refused") == []
    said = [text for text in browser.console()
            if not (kind.status >= 400 and STATUS in text)]
    assert said == []
    title = browser.driver.title
    assert title and title != "no", "a name ran as a script"


@pytest.mark.parametrize("base", ["url", "at_root"])
def test_what_a_page_breaks_is_seen(browser, site, base):
    """These two tests look where something is to be seen."""
    browser.go(getattr(site, base) + "/?k=3")
    browser.js("""
        const e = document.createElement("p");
        e.setAttribute("style", "color: red");
        const s = document.createElement("script");
        s.textContent = "document.title = 'no'";
        document.body.append(e, s);""")
    browser.until("window.refused.length === 2")
    assert len([text for text in browser.console()
                if "Content Security Policy" in text]) == 2
    assert browser.driver.title != "no"
