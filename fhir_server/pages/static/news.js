// Keeps a page up to date while somebody can see it: asks whether the record has news, and has the page fetched anew.

const EVERY = 1_500;

/**
 * @param {HTMLElement} about says in data-news where to ask and in data-mark how the record was when the page was made
 * @param {string} page the address of the page
 * @param {string} part the id of what the record says on it
 */
export function follow(about, page, part) {
  let known = about.dataset.mark;
  let failures = 0;

  async function ask() {
    const question = new URL(about.dataset.news, location.href);
    question.searchParams.set("mark", known);
    const answer = await fetch(question);
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const said = await answer.json();
    if (said.news) {
      const fresh = await fetch(page);
      if (!fresh.ok) throw new Error(String(fresh.status));
      takeOver(new DOMParser().parseFromString(await fresh.text(), "text/html").getElementById(part));
      known = said.mark;
    }
  }

  function takeOver(fresh) {
    if (!fresh) return;
    replace(document.getElementById(part), fresh);
    document.getElementById("news").textContent = "The record has news.";
  }

  async function keep() {
    try {
      if (!document.hidden) await ask();
      failures = 0;
    } catch {
      failures = Math.min(failures + 1, 5);
    }
    setTimeout(keep, EVERY * 2 ** failures);
  }

  if (known) setTimeout(keep, EVERY);
}

/** Puts ``fresh`` in the place of ``old``; what was unfolded stays so, and so does the keyboard's place. */
export function replace(old, fresh) {
  const unfolded = [...old.querySelectorAll("details")].map((one) => one.open);
  const focused = [...old.querySelectorAll("a, button, summary")].indexOf(document.activeElement);
  [...fresh.querySelectorAll("details")].forEach((one, n) => { one.open = unfolded[n] ?? false; });
  old.replaceWith(fresh);
  if (focused >= 0) fresh.querySelectorAll("a, button, summary")[focused]?.focus();
}
