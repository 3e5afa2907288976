/* One view of the page at a time; the focus goes to its heading, so that who hears the page knows where it is. */
import { $, put, show } from "./dom.js";
import { text } from "./texts.js";

const VIEWS = ["opening", "problem", "name", "devices", "waiting", "visit", "over"];
let current = "opening";

/** @param {string} name of VIEWS @param {string} [title] of the document */
export function view(name, title = text(`title.${name}`)) {
  document.title = `${title} · Hearth`;
  if (name === current) return;
  current = name;
  for (const each of VIEWS) show($(each), each === name);
  document.body.dataset.view = name;
  window.scrollTo(0, 0);
  $(name).querySelector("h1").focus({ preventScroll: true });
}

/** @returns {string} */
export const currentView = () => current;

/**
 * The end of the road, or a stop on it.
 * @param {"problem" | "over"} name
 * @param {string} heading
 * @param {string} told
 * @param {{label: string, go: () => void}} [action]
 */
export function halt(name, heading, told, action) {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  put($(`${name}-heading`), heading);
  put($(`${name}-text`), told);
  const button = $(`${name}-action`);
  show(button, Boolean(action));
  if (action) {
    put(button, action.label);
    button.onclick = action.go;
  }
  view(name, heading);
}
