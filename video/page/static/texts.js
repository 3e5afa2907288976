/* Words of the page by their key, filled in. */
import messages from "./messages.js";

/**
 * @param {string} key of messages.js
 * @param {Record<string, string | number>} [words] for the {words} in it
 * @returns {string}
 */
export function text(key, words = {}) {
  const found = messages[key];
  if (found === undefined) throw new Error(`no text: ${key}`);
  return found.replace(/\{(\w+)\}/g, (whole, word) => String(words[word] ?? whole));
}

/** @param {string} key @returns {boolean} whether there is such a text */
export const has = (key) => key in messages;

/**
 * A length of time in words, whole minutes.
 * @param {number} ms
 * @returns {string}
 */
export function minutes(ms) {
  const count = Math.floor(Math.max(0, ms) / 60000);
  if (count < 1) return text("time.less");
  if (count === 1) return text("time.minute");
  if (count < 60) return text("time.minutes", { count });
  return text("time.hours", { hours: Math.floor(count / 60), count: count % 60 });
}

/**
 * A length of time as a clock shows it: 4:05 or 1:04:05.
 * @param {number} ms
 * @returns {string}
 */
export function clock(ms) {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, place) => (place ? String(part).padStart(2, "0") : String(part))).join(":");
}
