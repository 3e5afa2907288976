"""Fixtures of the real clients: Chromium, the app's site. What cannot be had skips, and the run says so at its end."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright

from conformance_tests.clients import provision, site
from conformance_tests.clients.site import Site
from deploy import debian


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    try:
        executable = debian.chromium()
    except debian.Missing as error:
        _skip(error)
    browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
    yield browser
    browser.close()


def _skip(error: debian.Missing) -> None:
    if str(error) not in provision.missing:
        provision.missing.append(str(error))
    pytest.skip(str(error))


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser profile in which nobody is logged in."""
    context = chromium.new_context()
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture(scope="session")
def app_site() -> Iterator[Site]:
    """The site of an app that uses the SMART JavaScript client."""
    try:
        script = provision.smart_javascript_client()
    except debian.Missing as error:
        _skip(error)
    with site.serving(script) as opened:
        yield opened
