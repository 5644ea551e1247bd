"""Without JavaScript nothing is missing."""

import pytest
from selenium.webdriver.common.by import By


@pytest.fixture
def plain(browser):
    browser.script(False)
    return browser


def words(browser, selector):
    return browser.js("return document.querySelector(arguments[0])"
                      ".innerText.split(/\\s+/).join(' ')", selector)


def test_the_board_is_the_same_as_with_it(browser, site):
    path = "/?date=2017-03-19&k=5"
    texts = []
    for on in (True, False):
        browser.script(on)
        browser.go(site.url + path)
        texts.append(words(browser, "#board").split(" As of ")[0])
    assert texts[0] == texts[1] != ""


def test_there_is_no_button_that_does_nothing(plain, site):
    plain.go(site.url + "/?k=5")
    assert plain.js("return document.querySelectorAll('#live *').length") == 1
    assert not words(plain, "#live").strip()


@pytest.mark.parametrize("base", ["url", "at_root"])
def test_a_board_is_chosen_and_an_event_is_read(plain, site, base):
    start = getattr(site, base)
    plain.go(start + "/")
    find = plain.driver.find_element
    find(By.TAG_NAME, "summary").click()
    field = find(By.NAME, "k")
    field.clear()
    field.send_keys("4")
    find(By.CSS_SELECTOR, "form.query button[type=submit]").click()
    plain.until("location.search.includes('k=4') &&"
                " document.querySelectorAll('[data-event]').length === 4")
    link = find(By.CSS_SELECTOR, "[data-event] .event a")
    name = link.text
    link.click()
    plain.until("location.pathname.includes('/events/')")
    assert find(By.TAG_NAME, "h1").text == name
    assert plain.driver.current_url.startswith(start + "/events/")
    find(By.CSS_SELECTOR, "header a").click()
    plain.until("document.getElementById('board')")
    assert plain.driver.current_url.startswith(start)


def test_what_can_be_wrong_is_told_by_the_page(plain, site):
    plain.go(site.url + "/?k=0")
    assert "k" in words(plain, "main")
    assert plain.driver.find_element(By.TAG_NAME, "h1").text
