"""At any width, on paper, enlarged: nothing scrolls sideways, nothing is
cut, nothing is squeezed to a letter a line."""

import pytest
from pages import KINDS

# What is wider than its place, or cut by it. An element of a pixel is there
# for screen readers only.
LOOK = r"""
const wrong = [];
const root = document.scrollingElement, range = document.createRange();
const told = (e) => e.tagName + "." + e.getAttribute("class") + " " +
    (e.name || "") + [...e.textContent.replace(/\s+/g, " ")].slice(0, 40).join("");
if (root.scrollWidth > innerWidth)
    wrong.push("the page is " + root.scrollWidth + " wide");
for (const e of document.body.querySelectorAll("*")) {
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    if (box.width <= 1 || box.height <= 1 || e.closest("svg"))
        continue;
    const hides = style.overflowX !== "visible" ||
        style.overflowY !== "visible";
    if (hides && e.tagName !== "INPUT" && e.tagName !== "SELECT" &&
        (e.scrollWidth > e.clientWidth + 1 ||
        e.scrollHeight > e.clientHeight + 1))
        wrong.push("cut: " + told(e));
    if (e.tagName === "INPUT" && e.scrollWidth > e.clientWidth + 1)
        wrong.push("cut: " + told(e));
    const letter = parseFloat(style.fontSize);
    const words = e.matches("td, th, label, input, select, button, a");
    range.selectNodeContents(e);
    if (words && box.width < 3 * letter &&
        range.getBoundingClientRect().height > 5 * letter)
        wrong.push("squeezed: " + told(e));
    if (e.matches("input, select") && box.width < 4 * letter)
        wrong.push("squeezed: " + told(e));
    if ((box.left < -1 || box.right > innerWidth + 1) &&
        !hidden(e))
        wrong.push("outside: " + told(e) + " " + box.left + ".." + box.right);
}
function hidden(e) {
    for (; e; e = e.parentElement) {
        const box = e.getBoundingClientRect();
        if (box.width <= 1 || box.height <= 1)
            return true;
    }
    return false;
}
return [innerWidth, wrong];
"""


def look(browser, where):
    width, wrong = browser.js(LOOK)
    return [f"{where} ({width}): {text}" for text in wrong[:2]]


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_nothing_is_cut_and_nothing_scrolls_sideways(browser, site, kind):
    wrong = []
    browser.go(site.url + site.path(kind))
    for width in (320, 360, 768, 1100, 1600):
        browser.size(width)
        wrong += look(browser, f"{width} px")
    browser.size(640, scale=2)
    wrong += look(browser, "1280 px at 200 %")
    browser.size(768)
    browser.media("print")
    wrong += look(browser, "print")
    browser.media()
    browser.cdp("Page.setFontSizes", fontSizes={"standard": 32, "fixed": 26})
    try:
        for width in (768, 1600):
            browser.size(width)
            wrong += look(browser, f"{width} px, letters twice as big")
    finally:
        browser.cdp("Page.setFontSizes",
                    fontSizes={"standard": 16, "fixed": 13})
    assert not wrong, "\n".join(wrong)
