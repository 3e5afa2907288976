// The list of the day keeps itself true: it asks every few seconds, takes over rows that changed, and counts the minutes.
// Without it the page works: Reload shows the list anew.

import { hide, wasActive, watch } from "./session.js";

const EVERY = 4_000;
const UNITS = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]];

const list = document.getElementById("list");
const late = document.getElementById("late");
const said = document.getElementById("said");
const title = document.title;
let ahead = Number(list.dataset.now) - Date.now();
let failures = 0;

/** As the server writes it: 3 h 20 min. */
function span(milliseconds) {
  let left = Math.max(0, Math.floor(milliseconds / 1000));
  const parts = UNITS.map(([size, unit]) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return count ? `${count} ${unit}` : "";
  });
  const first = parts.findIndex(Boolean);
  return first < 0 ? "0 s" : parts.slice(first, first + 2).filter(Boolean).join(" ");
}

function count() {
  const now = Date.now() + ahead;
  for (const time of list.querySelectorAll("time[data-since]")) {
    const text = span(now - Number(time.dataset.since));
    if (time.textContent !== text) time.textContent = text;
  }
  const waiting = list.querySelectorAll(".waits").length;
  document.title = waiting ? `(${waiting}) ${title}` : title;
}

const waiters = (root) => new Map([...root.querySelectorAll("tr[data-row] .waits strong")].map((name) => [`${name.closest("tr").dataset.row} ${name.textContent}`, name.textContent]));

function takeOver(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  const before = waiters(list);
  const news = [...waiters(fresh)].filter(([id]) => !before.has(id)).map(([, name]) => name);
  const focused = document.activeElement && list.contains(document.activeElement) ? path(document.activeElement) : null;
  const open = list.querySelector("details.others")?.open;
  const sealed = [...list.querySelectorAll('input[name="encrypted"]:checked')].map((box) => box.closest("tr").dataset.row);
  const chosen = new Map([...list.querySelectorAll('tr[data-row] select')].map((select) => [select.closest("tr").dataset.row, select.value]));
  list.replaceChildren(...fresh.childNodes);
  if (open) list.querySelector("details.others")?.setAttribute("open", "");
  for (const box of list.querySelectorAll('input[name="encrypted"]')) box.checked = sealed.includes(box.closest("tr").dataset.row);
  for (const select of list.querySelectorAll("tr[data-row] select")) {
    const value = chosen.get(select.closest("tr").dataset.row);
    if (value && [...select.options].some((option) => option.value === value)) select.value = value;
  }
  if (focused) list.querySelector(focused)?.focus();
  count();
  if (news.length) said.textContent = `${news.join(" and ")} ${news.length === 1 ? "waits" : "wait"} now.`;
}

/** Where an element stands, so that its successor can be found. */
function path(element) {
  const row = element.closest("tr[data-row]");
  const own = element.matches("button") ? "button" : element.matches("select") ? "select" : element.matches("a") ? "a" : element.matches("input") ? 'input[name="encrypted"]' : element.localName;
  return row ? `tr[data-row="${CSS.escape(row.dataset.row)}"] ${own}` : own;
}

async function ask() {
  const asked = new URL(list.dataset.changes, location.href);
  asked.searchParams.set("position", list.dataset.position);
  asked.searchParams.set("sitting", list.dataset.sitting);
  if (wasActive()) asked.searchParams.set("active", "1");
  const answer = await fetch(asked);
  if (answer.status === 401 || answer.status === 403) return hide();
  if (!answer.ok) throw new Error(String(answer.status));
  const news = await answer.json();
  ahead = news.now - Date.now();
  list.dataset.position = news.position;
  list.dataset.sitting = news.sitting;
  if (news.html !== null) takeOver(news.html);
  return undefined;
}

async function keep() {
  try {
    await ask();
    failures = 0;
  } catch {
    failures += 1;
  }
  late.hidden = failures < 2;
  setTimeout(keep, EVERY);
}

// Whoever chooses a practitioner wants to see that: no second press.
const picker = document.getElementById("practitioner");
picker?.addEventListener("change", () => picker.form.requestSubmit());
setInterval(count, 1000);
count();
setTimeout(keep, EVERY);
watch();
