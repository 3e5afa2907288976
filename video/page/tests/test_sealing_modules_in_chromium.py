"""Frames sealed and opened, and keys agreed over a server that hands on, reads, loses or forges."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from video.page.tests.site import Site
from video.page.tests.test_modules_in_chromium import ask

_KEYS = """
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const frame = (...of) => Uint8Array.from([...of, ...Array(200).fill(7)]).buffer;
  const same = (a, b) => a !== null && new Uint8Array(a).join() === new Uint8Array(b).join();
"""
_PEOPLE = """
  const pages = new Map(), heard = [], running = [], touch = TOUCH;
  const join = (name) => {
    const page = new m.Agreement((to, text) => {
      heard.push(text);
      for (const [said, whom] of touch(text, name, to)) running.push(pages.get(whom)?.heard(name, said));
    });
    pages.set(name, page);
    page.keys = {};
    page.addEventListener("theirs", ({ detail }) => (page.keys[detail.member] ??= []).push(detail.id));
    page.addEventListener("own", ({ detail }) => (page.own = detail.id));
    return page;
  };
  const settle = async () => { while (running.length) await Promise.all(running.splice(0)); };
  const until = async (true_) => { while (!true_()) await new Promise((done) => setTimeout(done, 10)); };
  const meet = async (...names) => {
    await Promise.all(names.map((name) => pages.get(name).set(names.filter((other) => other !== name))));
    await settle();
  };
"""
HONEST = "(text, from, to) => [[text, to]]"


@pytest.fixture(scope="module")
def page(site: Site, browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(f"{site.url}/visit")
    yield page
    page.close()


def agree(page: Page, body: str, touch: str = HONEST) -> object:
    """What ``body`` returns; ``touch`` says what a server makes of a message: (text, from, to) to [(text, to)]."""
    return ask(page, "agreement", _PEOPLE.replace("TOUCH", touch) + body)


def test_there_and_back_with_the_head_in_the_clear(page: Page) -> None:
    body = """
      const found = [];
      const rows = [["camera", 0, 10], ["camera", 1, 3], ["screen", 1, 3], ["microphone", 0, 1]];
      for (const [source, first, clear] of rows) {
        const plain = frame(first, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
        const sealed = await m.seal(plain, source, { id: 9, key }, 5n);
        const opened = await m.open(sealed, source, { key, seen: new m.Seen() });
        const head = same(sealed.slice(0, clear), plain.slice(0, clear));
        const hidden = !new Uint8Array(sealed).join().includes("7,7,7,7");
        found.push(same(opened, plain) && head && hidden && m.keyOf(sealed) === 9);
      }
      return found;
    """
    assert ask(page, "cipher", _KEYS + body) == [True] * 4


def test_what_was_changed_moved_or_sent_again_does_not_open(page: Page) -> None:
    body = """
      const plain = frame(1, 2, 3), sealed = await m.seal(plain, "camera", { id: 1, key }, 5n), seen = new m.Seen();
      const opens = async (data, source = "camera", by = key) =>
        (await m.open(data, source, { key: by, seen })) !== null;
      const other = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["decrypt"]);
      const broken = await Promise.all([0, 1, 2, 50, sealed.byteLength - 2].map((place) => {
        const copy = sealed.slice(0); new Uint8Array(copy)[place] ^= 4; return opens(copy);
      }));
      const found = [broken, await opens(sealed, "screen"), await opens(sealed, "camera", other)];
      return [...found, m.keyOf(frame().slice(0, 20)), await opens(sealed), await opens(sealed)];
    """
    assert ask(page, "cipher", _KEYS + body) == [[False] * 5, False, False, -1, True, False]


def test_frames_may_overtake_each_other_by_so_much(page: Page) -> None:
    body = """
      const seen = new m.Seen();
      const found = [5n, 3n, 4n, 4n, 5n, 5000n, 4000n, 3000n].map((number) => seen.take(number));
      for (let n = 6000n; n < 12000n; n++) seen.take(n);
      return [...found, seen.take(11999n), seen.take(12000n)];
    """
    assert ask(page, "cipher", body) == [True, True, True, False, False, True, True, False, False, True]


def test_two_have_one_number_and_each_others_keys(page: Page) -> None:
    body = """
      const ann = join("ann"), ben = join("ben");
      await meet("ann", "ben");
      return [ann.code("ben"), ben.code("ann"), ann.keys.ben.at(-1) === ben.own, ben.keys.ann.at(-1) === ann.own,
        heard.some((text) => text.includes('"raw"'))];
    """
    one, other, *rest = agree(page, body)  # type: ignore[misc]
    assert one == other and len(one) == 7 and rest == [True, True, False]


def test_who_comes_and_who_goes_change_the_key(page: Page) -> None:
    body = """
      const ann = join("ann"), ben = join("ben");
      await meet("ann", "ben");
      const two = ann.own, cat = join("cat");
      await meet("ann", "ben", "cat");
      await until(() => ann.own > two && cat.keys.ann.at(-1) === ann.own);
      const three = ann.own, codes = ["ann", "ben"].map((name) => cat.code(name) === pages.get(name).code("cat"));
      await Promise.all([ann.set(["ben"]), ben.set(["ann"])]); await settle();
      await until(() => ann.own > three && ben.keys.ann.at(-1) === ann.own);
      return [codes, cat.keys.ann.at(-1) === three];
    """
    assert agree(page, body) == [[True, True], True]


def test_a_page_that_is_loaded_again_has_another_number(page: Page) -> None:
    body = """
      const ann = join("ann"), told = [];
      ann.addEventListener("code", ({ detail }) => told.push(detail));
      join("ben"); await meet("ann", "ben");
      const again = join("ben"); await again.set(["ann"]); await settle();
      const [first, second] = told;
      return [told.length, second.before === first.code, second.code === again.code("ann"), first.code !== second.code];
    """
    assert agree(page, body) == [2, True, True, True]


def test_what_was_lost_is_told_again(page: Page) -> None:
    """Every message is lost until the line is good."""
    body = """
      const ann = join("ann"), ben = join("ben");
      await meet("ann", "ben");
      window.good = true;
      await ann.again(); await settle();
      return [ann.code("ben") !== "", ann.code("ben") === ben.code("ann"), ann.hears("ben"), ben.hears("ann")];
    """
    lost = "(text, from, to) => window.good ? [[text, to]] : []"
    assert agree(page, body, lost) == [True] * 4


def test_a_server_in_between_makes_two_numbers(page: Page) -> None:
    """It gives each of the two keys of its own: they agree with it, and their numbers tell."""
    body = """
      const between = (name) => new m.Agreement((to, text) => running.push(pages.get(to).heard(name, text)));
      const ann = join("ann"), ben = join("ben");
      window.fake = { ann: between("ben"), ben: between("ann") };
      await window.fake.ann.set(["ann"]); await window.fake.ben.set(["ben"]);
      await meet("ann", "ben");
      return [ann.code("ben") !== "", ben.code("ann") !== "", ann.code("ben") === ben.code("ann")];
    """
    touch = "(text, from, to) => { running.push(window.fake[from].heard(from, text)); return []; }"
    assert agree(page, body, touch) == [True, True, False]


def test_a_commitment_that_is_not_kept_gives_no_number(page: Page) -> None:
    touch = """(text, from, to) => {
      const said = JSON.parse(text);
      if (from === "ben" && said.t === "reveal") said.nonce = btoa("another nonce 16");
      return [[JSON.stringify(said), to]];
    }"""
    body = """
      const ann = join("ann"), ben = join("ben");
      await meet("ann", "ben");
      return [ann.code("ben"), ben.code("ann") !== ""];
    """
    assert agree(page, body, touch) == ["", True]


def test_whatever_else_is_passed_changes_nothing(page: Page) -> None:
    body = """
      const ann = join("ann"), ben = join("ben");
      await meet("ann", "ben");
      const before = ann.code("ben"), keys = ann.keys.ben.join(), { pub } = ann;
      const junk = ["", "null", "{}", '{"t":"hello"}', '{"t":"key","pub":5}', JSON.stringify({ t: "hello", pub }),
        JSON.stringify({ t: "hello", pub: "AAAA" }), ...heard.filter((text) => text.includes('"key"'))];
      for (const text of junk) await ann.heard("ben", text);
      return [ann.code("ben") === before, ann.keys.ben.join() === keys];
    """
    assert agree(page, body) == [True, True]
