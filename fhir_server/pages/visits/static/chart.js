// The chart saves without leaving the page, so that nothing typed is lost: neither in the other form, nor when a save
// fails, nor when the log-in ended meanwhile. Without it the forms are sent as forms.

import { follow, replace } from "./news.js";
import { hide, isStill, watch } from "./session.js";

const problem = document.getElementById("problem");
const shown = document.getElementById("shown");
let dirty = new Set();

function tell(text) {
  problem.textContent = text;
  problem.hidden = !text;
  if (text) problem.scrollIntoView({ block: "nearest" });
}

async function send(form, button) {
  const body = new URLSearchParams(new FormData(form));
  if (button?.name) body.set(button.name, button.value);
  const answer = await fetch(form.action, { method: "POST", body });
  return { answer, page: new DOMParser().parseFromString(await answer.text(), "text/html") };
}

/** Takes over what a form was about, and the facts; what is typed into the other form stays. */
function takeOver(page, part) {
  document.querySelector(".banner").after(document.getElementById("said"));
  for (const id of ["facts", "said", part]) {
    const fresh = page.getElementById(id);
    const old = document.getElementById(id);
    if (fresh && old) old.replaceWith(fresh);
  }
  watchForms();
}

async function save(form, button) {
  tell("");
  const part = form.dataset.part;
  form.setAttribute("aria-busy", "true");
  for (const each of form.querySelectorAll("button")) each.disabled = true;
  try {
    if (!(await isStill())) return;
    const { answer, page } = await send(form, button);
    if (answer.status === 401) return hide();
    if (!page.getElementById(part)) return tell("Nothing was saved: the server did not answer as expected. What you typed is still here.");
    if (answer.ok) dirty.delete(part);
    takeOver(page, part);
    settle(part, answer.ok);
  } catch {
    tell("Nothing is known to be saved: the server does not answer. What you typed is still here; please try again.");
  } finally {
    form.removeAttribute("aria-busy");
    for (const each of form.querySelectorAll("button")) each.disabled = false;
  }
}

/** Where the keyboard goes on, and what a screen reader says. */
function settle(part, done) {
  const fresh = document.getElementById(part);
  const wrong = fresh.querySelector('[aria-invalid="true"]');
  const heading = fresh.querySelector("h2");
  heading.tabIndex = -1;
  heading.after(document.getElementById("said")); // the top of the page may be far away
  (wrong ?? heading).focus();
  if (done) {
    // A status that came with its text is not read out by every screen reader.
    const status = document.querySelector('#said [role="status"]');
    const text = status?.textContent ?? "";
    if (status) {
      status.textContent = "";
      setTimeout(() => { status.textContent = text; }, 100);
    }
  }
}

async function refresh() {
  const answer = await fetch(shown.dataset.page);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("facts");
  if (fresh) replace(document.getElementById("facts"), fresh);
}

function watchForms() {
  for (const form of document.querySelectorAll("form[data-part]")) {
    if (form.dataset.watched) continue;
    form.dataset.watched = "yes";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      save(form, event.submitter);
    });
    form.addEventListener("input", () => {
      dirty.add(form.dataset.part);
      const unsaved = form.querySelector("#unsaved");
      if (unsaved && !unsaved.textContent) unsaved.textContent = "Not saved yet.";
    });
  }
}

addEventListener("beforeunload", (event) => { if (dirty.size) event.preventDefault(); });
addEventListener("visits:back", () => refresh().catch(() => {}));
watchForms();
watch();
follow(shown, shown.dataset.page, "facts");
