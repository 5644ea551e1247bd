"""The script: a board that is looked at moves by itself, and only then."""

import time

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from stacklib import proc
from website import message

# The page's clock runs eight times as quick, so that the tests need not wait
# as people do; the length of every wait is kept for a test to see, how often
# the script asked, and what it said: a word may be gone when a test looks.
QUICK = """
window.waits = [];
const set = window.setTimeout;
window.setTimeout = (f, ms, ...more) => {
    if (ms >= 500)
        window.waits.push(ms);
    return set(f, ms >= 500 ? ms / 8 : ms, ...more);
};
const now = performance.now.bind(performance);
performance.now = () => 8 * now();
const fetched = window.fetch;
window.asked = 0;
window.asking = 0;
window.fetch = async (...what) => {
    window.asked++;
    window.asking++;
    try {
        return await fetched(...what);
    } finally {
        window.asking--;
    }
};
window.said = [];
document.addEventListener("DOMContentLoaded", () => {
    const status = document.querySelector("[role=status]");
    new MutationObserver(() => window.said.push([status.textContent,
        [...document.querySelectorAll("[data-event]")]
            .map((row) => row.dataset.event)]))
        .observe(status, {childList: true});
});
const animate = Element.prototype.animate;
window.animated = [];
Element.prototype.animate = function (...how) {
    window.animated.push([this.dataset.event, JSON.stringify(how[0])]);
    return animate.apply(this, how);
};
"""
ROWS = "[...document.querySelectorAll('[data-event]')]" \
       ".map((row) => row.dataset.event)"


@pytest.fixture
def quick(browser):
    added = browser.cdp("Page.addScriptToEvaluateOnNewDocument",
                        source=QUICK)["identifier"]
    yield browser
    browser.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=added)


class Race:
    """Three events of a city, which RSVPs move; each test's are new."""

    number = 0

    def __init__(self, site):
        Race.number += 1
        self.site = site
        self.next = 5000000 + Race.number * 10000
        self.city = f"Gent {Race.number}"
        self.path = f"/?city=Gent%20{Race.number}&k=10"
        self.ids = [f"race{Race.number}-{name}" for name in "abc"]
        a, b, c = self.ids
        self.site.feed(self.lines(a, 4) + self.lines(b, 3) + self.lines(c, 2))

    def lines(self, event_id, count):
        """So many RSVPs more, each somebody else's."""
        self.next += count
        return [message(
            self.next - n, event_id, int(time.time() * 1000),
            "Event " + event_id,
            {"group_id": 800 + Race.number, "group_city": self.city})
            for n in range(count)]

    def more(self, event_id, count):
        self.site.feed(self.lines(event_id, count))


@pytest.fixture
def race(site):
    return Race(site)


@pytest.fixture(params=["prefix", "root"])
def anywhere(request, site):
    return site.url if request.param == "prefix" else site.at_root


def rows(browser):
    return browser.js("return " + ROWS)


def rounds(browser, more=1):
    """Until the script has asked so many times more, and was answered."""
    now = browser.js("return window.asked")
    browser.until(f"window.asked >= {now + more} && window.asking === 0")


def test_a_row_that_moved_is_seen_to_move(quick, anywhere, race):
    quick.go(anywhere + race.path)
    a, b, c = race.ids
    assert rows(quick) == [a, b, c]
    quick.js("for (const row of document.querySelectorAll('[data-event]'))"
             " row.mark = row.dataset.event")
    race.more(c, 4)
    quick.until(f"String({ROWS}) === '{c},{a},{b}'")
    assert dict(quick.js("return window.animated")).keys() == {a, b, c}
    assert all("translateY" in how for _, how in
               quick.js("return window.animated"))
    # The very same elements, so whatever else knows them still does.
    assert quick.js("return [...document.querySelectorAll('[data-event]')]"
                    ".every((row) => row.mark === row.dataset.event)")
    quick.until("window.said.length > 0")
    word, order = quick.js("return window.said[0]")
    assert word == quick.js(
        "return document.getElementById('live').dataset.changed")
    assert order != [a, b, c]


def test_the_board_after_a_refresh_is_the_board_of_a_reload(quick, site, race):
    """One came, one moved, one went, and so did the words for one."""
    a, b, c = race.ids
    path = race.path.replace("k=10", "k=3")
    quick.go(site.url + path)
    race.more(f"race{race.number}-new", 9)
    quick.until(f"String({ROWS}) === 'race{race.number}-new,{a},{b}'")
    race.more(b, 2)
    quick.until(f"String({ROWS}) === 'race{race.number}-new,{b},{a}'")
    fresh = site.get(path)[1].decode()
    same = quick.js("""
        const page = new DOMParser().parseFromString(arguments[0],
            "text/html");
        const here = document.getElementById("board");
        const there = page.getElementById("board");
        for (const board of [here, there])
            for (const e of board.querySelectorAll(".as-of"))
                e.remove();
        return here.isEqualNode(there)""", fresh)
    assert same, quick.js(
        "return document.getElementById('board').outerHTML") + fresh


def test_nothing_is_animated_for_who_wants_it_calm(quick, site, race):
    quick.media(prefers_reduced_motion="reduce")
    quick.go(site.url + race.path)
    race.more(race.ids[2], 4)
    quick.until(f"{ROWS}[0] === '{race.ids[2]}'")
    assert quick.js("return window.animated") == []


def test_a_board_that_stands_costs_a_304(quick, site, race):
    quick.go(site.url + race.path)
    rounds(quick, 4)

    def answers():
        return ["304" if '" 304 0 ' in line else line
                for line in site.asked() if race.path in line]
    # The page, at most one answer that is newer, and no other after that.
    assert answers()[2:] and set(answers()[2:]) == {"304"}, answers()


def test_a_focus_and_a_selection_stay_where_they_are(quick, site, race):
    a, b, c = race.ids
    quick.go(site.url + race.path)
    quick.js(f"""
        const row = document.querySelector('[data-event="{b}"]');
        row.querySelector("a").focus();
        const name = row.querySelector("[dir=auto]").firstChild;
        getSelection().setBaseAndExtent(name, 1, name, 4);""")
    held = """
        const name = getSelection().anchorNode;
        return [document.activeElement.closest("[data-event]")
            ?.dataset.event, String(getSelection()),
            name.parentElement.closest("[data-event]").dataset.event]"""
    want = [b, "ven", b]
    assert quick.js(held) == want
    race.more(c, 4)
    quick.until(f"{ROWS}[0] === '{c}'")
    assert quick.js(held) == want
    race.more(b, 8)
    quick.until(f"{ROWS}[0] === '{b}'")
    assert quick.js(held) == want


def press_pause(browser):
    browser.driver.find_element(By.CSS_SELECTOR, "#live button").send_keys(
        Keys.SPACE)


# Twice as long as any wait of the script's while all is well, at its pace
# here: what it does not do in this time it does not do.
LONG = 1.5
PRESSED = "document.querySelector('#live button')" \
          ".getAttribute('aria-pressed')"


def test_paused_means_no_request_until_it_is_let_go(quick, site, race):
    quick.go(site.url + race.path)
    rounds(quick)
    press_pause(quick)
    try:
        assert quick.js("return " + PRESSED) == "true"
        before = quick.js("return window.asked")
        race.more(race.ids[2], 4)
        time.sleep(LONG)
        assert quick.js("return window.asked") == before
        assert rows(quick) == race.ids
        # A page that is opened after that is paused as well.
        other = race.path.replace("k=10", "k=9")
        quick.go(site.url + other)
        assert quick.js("return " + PRESSED) == "true"
        time.sleep(LONG)
        assert len([line for line in site.asked() if other in line]) == 1
    finally:
        press_pause(quick)
    assert quick.js("return " + PRESSED) == "false"
    rounds(quick)


def test_a_hidden_tab_asks_for_nothing(quick, site, race):
    quick.go(site.url + race.path)
    rounds(quick)
    quick.driver.minimize_window()
    try:
        quick.until("document.hidden")
        before = quick.js("return window.asked")
        race.more(race.ids[2], 4)
        time.sleep(LONG)
        assert quick.js("return window.asked") == before
    finally:
        quick.driver.set_window_rect(0, 0, 1600, 900)
    quick.until("!document.hidden")
    quick.until(f"{ROWS}[0] === '{race.ids[2]}'")


def told(word):
    return "document.querySelector('[role=status]').textContent ===" \
           f" document.getElementById('live').dataset.{word}"


def test_a_server_that_is_away_is_told_and_asked_less_and_less(
        quick, site, race):
    quick.go(site.url + race.path)
    rounds(quick)
    site.stack.nginx.stop()
    try:
        quick.until(told("away"))
        quick.until("window.waits.slice(-1)[0] > 12000")
        waits = quick.js("return window.waits")
        assert waits[-1] > waits[-2] > waits[-3]
        assert rows(quick) == race.ids
    finally:
        site.stack.nginx.start()
    race.more(race.ids[2], 4)
    quick.js("window.dispatchEvent(new Event('online'))")
    quick.until(f"{ROWS}[0] === '{race.ids[2]}'")
    quick.until("!(" + told("away") + ")")


def test_a_board_whose_database_is_away_says_so(quick, site, race):
    quick.go(site.url + race.path)
    rounds(quick)
    site.stack.postgres.stop()
    try:
        quick.until("document.querySelector('#board .stale')")
        assert rows(quick) == race.ids
    finally:
        site.stack.postgres.start()
    quick.until("!document.querySelector('#board .stale')")
    race.more(race.ids[2], 4)
    quick.until(f"{ROWS}[0] === '{race.ids[2]}'", 60)


def test_a_board_whose_pool_is_away_says_so(quick, site, race):
    """nginx goes on with the last answer, which says of when it is."""
    quick.go(site.url + race.path)
    rounds(quick)
    site.stack.fcgi.kill()
    try:
        quick.until(told("old"), 60)
        assert rows(quick) == race.ids
    finally:
        site.stack.fcgi.start()
    race.more(race.ids[2], 4)
    quick.until(f"{ROWS}[0] === '{race.ids[2]}'", 60)
    quick.until("!(" + told("old") + ")")


def test_a_server_that_names_a_time_is_left_alone_until_then(
        quick, site, race):
    """As long as no back-off of its own would be after one failure."""
    quick.go(site.url + race.path)
    quick.js("""
        window.waits = [];
        window.fetch = async () => new Response("", {status: 503,
            headers: {"Retry-After": "40"}});""")
    quick.until(told("away"))
    quick.until("window.waits.length > 0")
    assert quick.js("return window.waits[0]") >= 40000
