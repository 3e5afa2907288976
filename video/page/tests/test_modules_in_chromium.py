"""The modules that decide without a document: each imported by a page of its own and asked."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from video.page.rendering import digest
from video.page.tests.site import Site

AGENTS = {
    "chrome": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
    "Safari/537.36",
    "edge": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
    "Safari/537.36 Edg/140.0.0.0",
    "firefox": "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "safari": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 "
    "Safari/605.1.15",
    "ios-safari": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1",
    "ios-other": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "CriOS/140.0.0.0 Mobile/15E148 Safari/604.1",
    "chrome-android": "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
    "Mobile Safari/537.36",
    "samsung": "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 "
    "Chrome/130.0.0.0 Mobile Safari/537.36",
}
_SAMPLE = "{ heard: 0, packets: 0, gone: 0, lostUp: 0, roundTrip: 20, jitter: 5, available: 1e6, frames: {}, at: 0, "


@pytest.fixture(scope="module")
def page(site: Site, browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(f"{site.url}/visit")
    yield page
    page.close()


def ask(page: Page, module: str, body: str) -> Any:
    """What ``body`` returns; ``m`` is the module."""
    address = f"/visit/static/{digest()}/{module}.js"
    return page.evaluate(f"async () => {{ const m = await import('{address}'); {body} }}")


@pytest.mark.parametrize("name", sorted(AGENTS))
def test_browsers_are_known(page: Page, name: str) -> None:
    assert ask(page, "browser", f"return m.identify({AGENTS[name]!r}, false).name") == name


def test_an_ipad_that_calls_itself_a_mac(page: Page) -> None:
    assert ask(page, "browser", f"return m.identify({AGENTS['safari']!r}, true).system") == "ios"


@pytest.mark.parametrize("name", sorted(AGENTS))
@pytest.mark.parametrize("problem", ["denied", "system", "missing", "busy", "insecure", "unsupported", "failed"])
def test_every_problem_has_a_remedy_in_every_browser(page: Page, name: str, problem: str) -> None:
    body = f"const b = await import('/visit/static/{digest()}/browser.js');"
    assert len(ask(page, "problems", f"{body} return m.fix({problem!r}, b.identify({AGENTS[name]!r}, false))")) > 30


def looks(page: Page, samples: str) -> list[str]:
    """What a stall says to samples; every one is a look half a second after the one before."""
    body = f"""
      const stall = new m.Stall(), said = [];
      stall.begin(0);
      {samples}.forEach((some, place) => said.push(stall.look({_SAMPLE} ...some, at: (place + 1) * 500 }})));
      return said;
    """
    found: list[str] = ask(page, "stall", body)
    return found


def test_a_stream_that_stops_is_restarted_after_a_second_and_then_renewed(page: Page) -> None:
    stream = "[1, 2, 3, 4].map((n) => ({ heard: n * 9000, packets: n * 25 }))"
    dead = "Array(8).fill({ heard: 36000, packets: 100 })"
    assert looks(page, f"{stream}.concat({dead})") == ["", "", "", "", "", "restart", "", "", "renew", "", "", ""]


def test_somebody_alone_is_left_alone(page: Page) -> None:
    """Only an answer to a check now and then: no stream, so nothing is dead for six seconds."""
    assert looks(page, "[...Array(20).keys()].map((n) => ({ heard: Math.floor(n / 5) }))") == [""] * 20


def test_it_is_over_when_something_is_heard_again(page: Page) -> None:
    stream = "[1, 2, 3].map((n) => ({ heard: n * 9000, packets: n * 25 }))"
    again = "[{ heard: 27000, packets: 75 }, { heard: 27000, packets: 75 }, { heard: 28000, packets: 90 }]"
    assert looks(page, f"{stream}.concat({again})") == ["", "", "", "", "restart", ""]


def paused(page: Page, samples: str) -> list[bool]:
    """Whether the camera is paused; every sample is a second."""
    body = f"""
      const it = new m.AudioOnly();
      it.begin(0);
      return {samples}.map((some, place) => it.look({_SAMPLE} ...some, at: (place + 1) * 1000 }}, true));
    """
    found: list[bool] = ask(page, "audio_only", body)
    return found


def test_the_camera_is_paused_below_a_hundred_kilobits_and_tried_again(page: Page) -> None:
    low = paused(page, "Array(32).fill({ available: 80000 })")
    assert low[:8] == [False] * 8 and low[8:28] == [True] * 20 and low[28] is False


def test_a_line_that_carries_it_keeps_the_camera(page: Page) -> None:
    assert not any(paused(page, "Array(30).fill({ available: 150000 })"))
    assert not any(paused(page, "[...Array(30).keys()].map((n) => ({ available: n % 3 ? 80000 : 150000 }))"))


def test_loss_pauses_it_where_the_browser_estimates_nothing(page: Page) -> None:
    assert paused(page, "Array(12).fill({ available: undefined, lostUp: 0.3 })")[-1]


@pytest.mark.parametrize(
    ("now", "word"),
    [
        ("{ packets: 100 }", "good"),
        ("{ packets: 100, gone: 4 }", "fair"),
        ("{ packets: 100, gone: 20 }", "poor"),
        ("{ roundTrip: 350 }", "fair"),
        ("{ lostUp: 0.1 }", "poor"),
        ("{ jitter: 130 }", "poor"),
    ],
)
def test_quality_in_words(page: Page, now: str, word: str) -> None:
    assert ask(page, "quality", f"return m.judge({_SAMPLE} ...{now} }}, {_SAMPLE} }})") == word


def test_a_word_is_used_once_it_holds(page: Page) -> None:
    body = (
        "const s = new m.Steady('good'); return ['poor', 'good', 'poor', 'poor', 'poor', 'good'].map((w) => s.look(w))"
    )
    assert ask(page, "quality", body) == ["good", "good", "good", "good", "poor", "poor"]


def test_what_an_ice_restart_sends_and_takes(page: Page) -> None:
    offer = (
        r"v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:abcd\r\na=ice-pwd:secret\r\nm=video 9 x 96"
    )
    sent = ask(page, "media", f"return m.fragment('{offer}')")
    assert sent.splitlines() == ["a=ice-ufrag:abcd", "a=ice-pwd:secret", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0"]
    answer = r"a=ice-ufrag:old\r\na=ice-pwd:old\r\na=mid:0\r\na=ice-ufrag:old\r\na=ice-pwd:old\r\n"
    merged = ask(page, "media", f"return m.merged('{answer}', 'a=ice-ufrag:new\\r\\na=ice-pwd:pass\\r\\n')")
    assert merged.count("a=ice-ufrag:new\r\n") == 2 and merged.count("a=ice-pwd:pass\r\n") == 2 and "old" not in merged


@pytest.mark.parametrize(
    ("ms", "words"),
    [(30_000, "less than a minute"), (60_000, "1 minute"), (300_000, "5 minutes"), (3_900_000, "1 h 5 min")],
)
def test_times_in_words(page: Page, ms: int, words: str) -> None:
    assert ask(page, "texts", f"return m.minutes({ms})") == words


def test_a_room_keeps_the_past_to_what_was_said(page: Page) -> None:
    body = """
      const seat = { member: "a", role: "patient", events: 10, state: { own: { standing: "admitted", since: 1 },
        members: [{ member: "b", name: "Ben", standing: "admitted" }] } };
      const room = new m.Room(seat);
      room.apply({ n: 8, event: "waiting", standing: "waiting", since: 0 });
      room.apply({ n: 9, event: "chat", from: "b", text: "hello", at: 1, id: "x" });
      const before = room.state.standing;
      room.apply({ n: 11, event: "ended", reason: "ended" });
      room.apply({ n: 12, event: "left", standing: "left", since: 2 });
      return [before, room.state.chat[0].name, room.state.over];
    """
    assert ask(page, "room", body) == ["admitted", "Ben", "ended"]
