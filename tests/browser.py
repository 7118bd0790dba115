"""A real browser for tests of pages: headless Chromium, steered by Selenium. Where either is missing, `needs_browser`
skips with a word. Nothing is downloaded: the browser and its driver must be installed (Debian: chromium, chromium-driver)."""

import contextlib
import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

_missing = [
    what
    for what, is_there in (
        ("Chromium (Debian: chromium)", CHROMIUM),
        ("chromedriver (Debian: chromium-driver)", DRIVER),
        ("Selenium (requirements-browser.lock)", importlib.util.find_spec("selenium")),
    )
    if not is_there
]
needs_browser = pytest.mark.skipif(bool(_missing), reason=f"no browser to look with: {', '.join(_missing)}")


@contextlib.contextmanager
def chromium(folder: Path, width: int = 1200, height: int = 900, *flags: str) -> Iterator[Any]:
    """A browser that can reach nothing but this machine; its profile and cache are in `folder`."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--force-color-profile=srgb",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={width},{height}",
        *flags,
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def complaints(driver: Any) -> list[str]:
    """What the page has written to the console since the last call: errors of scripts, and what a policy has blocked."""
    return [entry["message"] for entry in driver.get_log("browser")]
