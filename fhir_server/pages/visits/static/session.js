// Automatic log-off of a page that stays: it asks whether the log-in lasts, hides what it shows when it does not, and
// shows it again to the same person. Asking is no activity; keys, clicks and touches since the last question are.

const EVERY = 30_000;

const shown = document.getElementById("shown");
const away = document.getElementById("away");
const said = document.getElementById("away-said");
const title = document.title;
let active = false;

for (const kind of ["keydown", "pointerdown", "wheel", "input"]) {
  addEventListener(kind, () => { active = true; }, { passive: true, capture: true });
}

/** Whether there was somebody at the page since this was asked last. */
export function wasActive() {
  const was = active;
  active = false;
  return was;
}

/** @returns {Promise<{who: string, name: string, csrf: string} | null>} null when nobody is logged in; throws while the server is away */
export async function session() {
  const answer = await fetch(`${shown.dataset.session}${wasActive() ? "?active=1" : ""}`, { headers: { Accept: "application/json" } });
  if (answer.status === 401 || answer.status === 403) return null;
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

/** The log-in of who opened this page: true, or false after saying what is the matter. Forms get what they must bring back. */
export async function isStill() {
  const now = await session();
  if (now === null) {
    hide();
    return false;
  }
  if (now.who !== shown.dataset.who) {
    hide(`${now.name || "Somebody else"} is logged in here now. This page stays hidden until you log in again yourself; or close it.`);
    return false;
  }
  for (const field of document.querySelectorAll('input[name="csrf"]')) field.value = now.csrf;
  show();
  return true;
}

export function hide(why = "") {
  if (why) said.textContent = why;
  if (!away.hidden) return;
  shown.hidden = true;
  away.hidden = false;
  document.title = "Logged off · Hearth";
  document.getElementById("away-h").focus();
}

function show() {
  if (away.hidden) return;
  away.hidden = true;
  shown.hidden = false;
  said.textContent = "";
  document.title = title;
  dispatchEvent(new Event("visits:back"));
}

export function watch() {
  document.getElementById("back").addEventListener("click", async () => {
    try {
      if (!(await isStill()) && !said.textContent) said.textContent = "You are not logged in yet.";
    } catch {
      said.textContent = "The server does not answer just now. Please try again.";
    }
  });
  setInterval(() => isStill().catch(() => {}), EVERY);
  // A page that comes back from sleep shows nothing of a log-in that ended meanwhile.
  document.addEventListener("visibilitychange", () => { if (!document.hidden) isStill().catch(() => {}); });
}
