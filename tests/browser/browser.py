"""Chromium, steered by selenium, with what it has to say about a page."""

import json
import os

from stacklib import proc

# What a page does not allow is an event and a line in the console.
WATCH = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (e) =>
    window.refused.push(e.violatedDirective + " " + e.blockedURI));
"""


def start():
    """A Browser; proc.Missing where a part of it is not installed."""
    chromium = proc.program("chromium")
    driver = proc.program("chromedriver")
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        raise proc.Missing("python3-selenium is not installed") from None
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.add_argument("--headless=new")
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument("--disable-component-update")
    options.add_argument("--force-color-profile=srgb")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # it has none for root
    options.set_capability("goog:loggingPrefs",
                           {"browser": "ALL", "performance": "ALL"})
    return Browser(webdriver.Chrome(service=Service(driver), options=options))


class Browser:
    """driver   selenium's
    go() opens a page in a state that does not depend on what was before.
    """

    def __init__(self, driver):
        self.driver = driver
        self.driver.set_script_timeout(60)
        self.js = driver.execute_script
        self.wait_js = driver.execute_async_script
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=WATCH)

    def cdp(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def quit(self):
        self.driver.quit()

    def reset(self):
        """No emulation, nothing remembered."""
        self.script(True)
        self.media()
        self.size(1600)
        self.cdp("Network.setCacheDisabled", cacheDisabled=False)
        self.cdp("Emulation.setCPUThrottlingRate", rate=1)
        self.driver.get("about:blank")
        self.cdp("Network.clearBrowserCache")
        self.console(), self.events()

    def size(self, width, height=900, scale=1):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width,
                 height=height, deviceScaleFactor=scale, mobile=False)

    def media(self, name="", **features):
        self.cdp("Emulation.setEmulatedMedia", media=name, features=[
            {"name": feature.replace("_", "-"), "value": value}
            for feature, value in features.items()])

    def script(self, on):
        self.cdp("Emulation.setScriptExecutionDisabled", value=not on)

    def go(self, url):
        self.driver.get(url)

    def text(self, selector):
        return self.js("const e = document.querySelector(arguments[0]);"
                       "return e && e.innerText", selector)

    def until(self, condition, seconds=30):
        """Wait for a condition in JavaScript."""
        assert proc.wait_until(
            lambda: self.js("return " + condition), seconds, every=0.05), \
            f"not in {seconds} s: {condition}\n" + \
            self.js("return document.body.innerText")[:2000]

    def console(self):
        """What was written to the console since the last time."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def events(self):
        """(method, parameters) of the DevTools since the last time."""
        said = [json.loads(entry["message"])["message"]
                for entry in self.driver.get_log("performance")]
        return [(event["method"], event["params"]) for event in said]
