"""Two pages that may use nothing but the TURN server meet through a real coturn."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from deploy import coturn, debian
from video.page.tests.site import ANNA, BEN, Hall, Site
from video.page.tests.test_media_in_chromium import seen, until
from video.tests.test_turn_in_coturn import SECRET, free
from video.turn import configuration, ice_servers

_WAY = """async () => {
  const stats = await connections.at(-1).getStats(), found = [];
  for (const pair of stats.values())
    if (pair.type === "candidate-pair" && pair.nominated) found.push(stats.get(pair.localCandidateId).candidateType);
  return found;
}"""


@pytest.fixture
def relayed(tmp_path: Path, browser: Browser) -> Iterator[Hall]:
    """A room of a site whose pages go by way of a coturn."""
    port = free()
    url = f"turn:127.0.0.1:{port}?transport=udp"
    site = Site(tmp_path)
    site._options |= {"relay": True, "ice": lambda member: ice_servers((url,), SECRET, member, int(time.time()))}
    try:
        with coturn.running(tmp_path, configuration((url,), SECRET, ("127.0.0.1",), "t"), port), site:
            hall = Hall(site, browser)
            yield hall
            hall.close()
    except debian.Missing as error:
        pytest.skip(str(error))


def test_pages_that_may_only_use_the_relay_meet_through_it(relayed: Hall) -> None:
    clinician, patient = relayed.talking()
    for page, other in ((clinician, ANNA), (patient, BEN)):
        until(page, lambda found: found["video"] > 10 and found["audio"] > 20)
        seen(page, other)
        assert set(page.evaluate(_WAY)) == {"relay"}
