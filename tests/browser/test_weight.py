"""The front page is light, asks for four things, and nothing in it jumps."""

import contextlib
import time
import urllib.request

import pytest
from halves import Halves
from stacklib import proc
from website import message

MOST_BYTES = 25 * 1024
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
        window.shifts.push([entry.value, Math.round(entry.startTime),
            ...entry.sources.map((s) => [(s.node?.outerHTML ||
                s.node?.textContent || "").slice(0, 80),
                ...[s.previousRect, s.currentRect].map((r) =>
                    `${r.x},${r.y} ${r.width}x${r.height}`)])]);
}).observe({type: "layout-shift", buffered: true});
"""


@contextlib.contextmanager
def shifts_watched(browser):
    """Gives a function: what has jumped in this page until two frames on."""
    added = browser.cdp("Page.addScriptToEvaluateOnNewDocument",
                        source=SHIFTS)["identifier"]

    def shifts():
        browser.wait_js("requestAnimationFrame(() =>"
                        " requestAnimationFrame(arguments[0]))")
        return browser.js("return window.shifts")

    try:
        yield shifts
    finally:
        browser.cdp("Page.removeScriptToEvaluateOnNewDocument",
                    identifier=added)


def transferred(browser, how_many):
    """{address: bytes on the wire} since the last time, of so many at
    least; an event of the DevTools may come after what it tells of."""
    asked, sizes = {}, {}

    def all_are_there():
        for method, said in browser.events():
            if method == "Network.requestWillBeSent":
                asked[said["requestId"]] = said["request"]["url"]
            elif method == "Network.loadingFinished":
                sizes[said["requestId"]] = said["encodedDataLength"]
        return len(asked) >= how_many and sizes.keys() >= asked.keys()
    assert proc.wait_until(all_are_there, 30), (asked, sizes)
    return {url: sizes[number] for number, url in asked.items()}


def test_the_front_page_is_25_kb_with_all_that_it_needs(browser, site):
    browser.events()
    browser.go(site.url + "/")
    found = transferred(browser, 4)
    base = site.url + "/"
    assert set(found) == {base} | {base + "static/" + name for name in (
        "style.css", "app.js", "icon.svg")}
    total = sum(found.values())
    print(", ".join(f"{url.removeprefix(base) or 'page'} {size}"
                    for url, size in found.items()), "total", total)
    assert total <= MOST_BYTES, found


@pytest.mark.parametrize("width", [360, 1600])
def test_nothing_jumps_while_it_loads_and_when_it_moves(browser, site, width):
    with shifts_watched(browser) as shifts:
        browser.size(width, 2400)  # the whole board is to be seen
        now = int(time.time() * 1000)
        city = f"Shift {width}"
        group = {"group_id": 700 + width, "group_city": city}
        site.feed([message(6000000 + width * 10 + n, f"s{width}-{n % 3}",
                           now, "a name\u0301 " * (n % 3 * 4 + 1), group)
                   for n in range(5)])
        browser.go(site.url + f"/?k=5&city=Shift%20{width}")
        rows = "[...document.querySelectorAll('[data-event]')].map((e) =>" \
               " e.dataset.event)"
        browser.until(f"{rows}.length === 3")
        site.feed([message(6500000 + width * 10 + n, f"s{width}-2", now,
                           "a name\u0301 " * 9, group) for n in range(4)])
        browser.until(f"{rows}[0] === 's{width}-2'")
        # The animation is over, and two frames more were drawn.
        browser.until("document.getAnimations().length === 0")
        assert shifts() == []
        # And the button, and what is said beside it.
        browser.js("document.querySelector('[role=status]').textContent ="
                   " document.getElementById('live').dataset.away")
        assert shifts() == []


def test_nothing_jumps_where_a_page_comes_in_halves(browser, site):
    with urllib.request.urlopen(site.url + "/?k=5", timeout=10) as answer:
        page = answer.read().decode()
    browser.size(1600, 2400)
    with Halves(site.url, page, "<details open>") as url, \
            shifts_watched(browser) as shifts:
        browser.go(url)
        assert shifts() == []
