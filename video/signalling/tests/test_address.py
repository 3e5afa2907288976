"""X-Forwarded-For is believed as far as proxies of ours wrote it."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from video.signalling.address import behind


@pytest.mark.parametrize(
    ("remote", "told", "address"),
    [
        ("192.0.2.9", [], "192.0.2.9"),
        ("192.0.2.9", ["203.0.113.1"], "192.0.2.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("10.0.0.1", ["198.51.100.7, 203.0.113.1"], "203.0.113.1"),
        ("10.0.0.1", ["198.51.100.7", "203.0.113.1, 10.0.0.2"], "203.0.113.1"),
        ("10.0.0.1", ["203.0.113.1, , "], "10.0.0.1"),
    ],
)
def test_the_last_that_no_proxy_of_ours_has(remote: str, told: list[str], address: str) -> None:
    headers = CIMultiDict([("X-Forwarded-For", line) for line in told])
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=remote)
    assert behind(("10.0.0.1", "10.0.0.2"))(request) == address
