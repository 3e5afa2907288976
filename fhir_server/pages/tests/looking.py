"""A page as everybody must be able to use it: in Chromium, narrow and wide."""

import os

from playwright.sync_api import Page

from video.page.tests import axe

PICTURES = os.environ.get("HEARTH_TEST_PICTURES", "")
"""A folder for pictures of the pages, for whoever wants to look at them."""
WIDTHS = (320, 768, 1280)
INSIDE = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def looked_at(page: Page, name: str) -> None:
    """Nothing is wider than the page and axe finds nothing."""
    page.evaluate(axe.script())
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(INSIDE), f"{name} at {width}"
        if PICTURES:
            page.screenshot(path=f"{PICTURES}/{name}-{width}.png", full_page=True)
        found = page.evaluate("rules => axe.run({runOnly: {type: 'tag', values: rules}})", axe.RULES)
        assert found["violations"] == [], name
