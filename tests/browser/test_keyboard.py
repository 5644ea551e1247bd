"""Everything can be done with a keyboard alone, and one sees where one is."""

import pytest
from pages import KINDS
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

# What can have the focus, in the order of the document.
WAY = """
return [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary," +
    "[tabindex]")].filter((e) => !e.disabled && e.tabIndex >= 0 &&
    e.checkVisibility()).map((e, n) => e.dataset.way = String(n));
"""
HERE = """
const e = document.activeElement, box = e.getBoundingClientRect();
const style = getComputedStyle(e);
return [e.dataset.way ?? null, e.matches(":focus-visible") &&
    style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    box.bottom > 0 && box.top < innerHeight && box.width > 1,
    e.outerHTML.slice(0, 120)];
"""


def press(browser, *keys):
    ActionChains(browser.driver).send_keys(*keys).perform()


def focus(browser, selector):
    """By the Tab key only."""
    for _ in range(60):
        press(browser, Keys.TAB)
        if browser.js("return document.activeElement.matches(arguments[0])",
                      selector):
            return
    raise AssertionError(f"no Tab leads to {selector}")


@pytest.mark.parametrize("width", [360, 1600])
@pytest.mark.parametrize("name", ["window", "event", "bad-parameter"])
def test_tab_goes_through_all_in_order_and_shows_where(
        browser, site, name, width):
    path = {kind.name: kind.path for kind in KINDS}[name]
    browser.size(width)
    browser.go(site.url + path)
    browser.js("document.documentElement.style.scrollBehavior = 'auto'")
    way, went = browser.js(WAY), []
    assert way
    for _ in way:
        press(browser, Keys.TAB)
        where, seen, inside, what = browser.js(HERE)
        assert seen, f"no visible focus: {what}"
        assert inside, f"focus outside of what is seen: {what}"
        went.append(where)
    assert went == way


def test_a_board_is_chosen_with_the_keyboard_only(browser, site):
    browser.go(site.url + "/")
    focus(browser, "form.query summary")
    press(browser, Keys.ENTER)
    focus(browser, "input[name=k]")
    press(browser, Keys.CONTROL, "a")
    ActionChains(browser.driver).key_up(Keys.CONTROL).perform()
    press(browser, "3", Keys.ENTER)
    browser.until("location.search.includes('k=3')")
    browser.until("document.querySelectorAll('[data-event]').length === 3")
    focus(browser, "input[name=city]")
    press(browser, "Gent", Keys.ENTER)
    browser.until("location.search.includes('city=Gent')")
    focus(browser, "select[name=by]")
    press(browser, Keys.DOWN)
    focus(browser, "form.query button[type=submit]")
    press(browser, Keys.ENTER)
    browser.until("location.search.includes('by=headcount')")


def test_the_pause_is_a_button_that_space_and_enter_press(browser, site):
    browser.go(site.url + "/?k=3")
    focus(browser, "#live button")
    button = browser.driver.find_element(By.CSS_SELECTOR, "#live button")
    assert button.accessible_name == "Pause updates"
    assert button.aria_role == "button"
    for key, pressed in [(Keys.SPACE, "true"), (Keys.ENTER, "false")]:
        press(browser, key)
        assert button.get_attribute("aria-pressed") == pressed
        assert browser.js("return document.activeElement.matches("
                          "'#live button')")


def test_an_event_is_reached_and_left_with_the_keyboard_only(browser, site):
    browser.go(site.url + "/?k=3")
    focus(browser, "[data-event] .event a")
    there = browser.js("return document.activeElement.href")
    press(browser, Keys.ENTER)
    browser.until(f"location.href === {there!r}")
    focus(browser, "header a")
    press(browser, Keys.ENTER)
    browser.until("document.getElementById('board')")
