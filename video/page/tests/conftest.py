"""Browsers with fake cameras before a running service: one browser and one service for each test module.

Needs Debian's Chromium, which is installed where that can be; skipped without it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

from video.page.tests.site import Hall, Site

FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--use-fake-device-for-media-stream=fps=10",  # half of what it does by itself: the cores are few
    "--auto-select-desktop-capture-source=Entire screen",
)


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium_program: str) -> Iterator[Browser]:
    """Says yes to every question for camera and microphone."""
    browser = playwright.chromium.launch(
        executable_path=chromium_program, args=[*FLAGS, "--use-fake-ui-for-media-stream"]
    )
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def refusing(playwright: Playwright, chromium_program: str) -> Iterator[Browser]:
    """Says no."""
    browser = playwright.chromium.launch(
        executable_path=chromium_program, args=[*FLAGS, "--use-fake-ui-for-media-stream=deny"]
    )
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("visits")
    with Site(folder) as site:
        yield site


@pytest.fixture
def hall(site: Site, browser: Browser) -> Iterator[Hall]:
    """A room of this test; whatever the policy blocks, and every error of a script, fails the test."""
    hall = Hall(site, browser)
    yield hall
    hall.close()
    assert hall.complaints == []
