"""A headless Chromium that opens pages of ours: what it logs, what it asks the network for, how they look.

It is Debian's, driven by Selenium; the fixtures `browser` and `axe` give it to a test.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.wait import WebDriverWait

from tests.conftest import BROWSERS

DESK = (1280, 900)
PHONE = (390, 844)
_SECONDS = 30


class Browser:
    """One tab of a headless browser. Every problem of a page is kept until `problems` is asked."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(
        self, path: Path, state: str = "", *, scheme: str = "light", size: tuple[int, int] = DESK
    ) -> None:
        """Open a file in a color scheme and a size; `state` is what follows `#` in the address."""
        self.show(scheme=scheme, size=size)
        self.driver.get("about:blank")
        self.driver.get(f"{path.resolve().as_uri()}{'#' + state if state else ''}")

    def show(self, *, scheme: str = "light", size: tuple[int, int] = DESK, media: str = "") -> None:
        """Change the color scheme, the size and the medium ("print" is paper) of the open page."""
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self._command("Emulation.setEmulatedMedia", media=media, features=features)
        width, height = size
        is_phone = width < 500
        self._command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=is_phone,
        )

    def set_scripts(self, *, allowed: bool) -> None:
        """Switch JavaScript of pages on or off, from the next page on."""
        self._command("Emulation.setScriptExecutionDisabled", value=not allowed)

    def run(self, script: str, *arguments: object) -> object:
        """Return what a script returns in the page."""
        return self.driver.execute_script(script, *arguments)

    def evaluate(self, source: str) -> object:
        """Return what source code evaluates to, also on a page whose policy runs no script but its own."""
        found = self._command("Runtime.evaluate", expression=source, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        result = found["result"]
        assert isinstance(result, dict)
        return result.get("value")

    def wait(self, condition: str) -> None:
        """Wait until a JavaScript expression is true; raises TimeoutException if it never is."""
        WebDriverWait(self.driver, _SECONDS, 0.05).until(lambda _: self.run(f"return Boolean({condition})"))

    def find(self, selector: str) -> list[object]:
        """Return the elements of a CSS selector."""
        return self.driver.find_elements("css selector", selector)

    def keys(self, *keys: str) -> None:
        """Press keys, one after the other, wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def hover(self, x: float, y: float, shown: str = "") -> None:
        """Move the mouse to a place of the window, until the element of a CSS selector is there.

        A page that was just scrolled may still get a move at its former place: so it moves again.
        """

        def moved(_: object) -> bool:
            for place in (x + 1, x):
                self._command("Input.dispatchMouseEvent", type="mouseMoved", x=place, y=y)
            return not shown or bool(self.find(shown))

        WebDriverWait(self.driver, _SECONDS, 0.2).until(moved)

    def click(self, x: float, y: float) -> None:
        """Click on a place of the window."""
        self.hover(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self._command("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def problems(self) -> list[str]:
        """Return what the console warns of and each address that was asked for, since last time."""
        found = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] != "INFO"]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                address = message["params"]["request"]["url"]
                if not address.startswith(("file:", "data:", "blob:", "about:")):
                    found.append(f"request: {address}")
        return found

    def picture(self, path: Path, size: tuple[int, int] | None = None) -> None:
        """Write a picture of the whole page, or of its first part of that size."""
        clip = (
            {}
            if size is None
            else {"clip": {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}}
        )
        shot = self._command("Page.captureScreenshot", captureBeyondViewport=True, format="png", **clip)
        path.write_bytes(base64.b64decode(str(shot["data"])))

    def _command(self, name: str, **parameters: object) -> Mapping[str, object]:
        found: Mapping[str, object] = self.driver.execute_cdp_cmd(name, parameters)
        return found


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start a headless browser, and end it."""
    options = Options()
    options.binary_location = next(filter(None, map(shutil.which, BROWSERS)), "")
    # --no-sandbox: the tests also run as root, in a container; they open no page of others
    for option in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(option)
    for option in ("--disable-background-networking", "--no-first-run", "--hide-scrollbars"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        with suppress(OSError):
            driver.quit()


AXE_PACKAGE = "axe-core@4.14.1"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"


def fetch_axe(folder: Path) -> str:
    """Return axe-core, fetched by npm into a folder; any other file than expected fails the test."""
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), AXE_PACKAGE]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as tar:
        member = tar.extractfile("package/axe.min.js")
        assert member is not None
        content = member.read()
    assert hashlib.sha256(content).hexdigest() == AXE_SHA256, f"{AXE_PACKAGE} is another file"
    return content.decode()


def serious_violations(browser: Browser, axe: str) -> list[str]:
    """Return what axe-core calls serious or critical on the open page: the rule, and the first elements.

    Landmarks of the same name too, which it calls moderate: a reader who lists them cannot tell them apart.
    """
    # through the debugger: the policy of the page runs no script that is added to it
    browser.evaluate(axe)
    named = "`${each.id}: ${each.nodes.slice(0, 3).map(node => node.html.slice(0, 200)).join(' | ')}`"
    found = browser.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(done => done.violations"
        ".filter(each => ['serious', 'critical'].includes(each.impact) || each.id === 'landmark-unique')"
        f".map(each => {named}))"
    )
    assert isinstance(found, list)
    return found
