/* What went wrong with camera or microphone, and the words that mend it on this browser. */
import { browser } from "./browser.js";
import { has, text } from "./texts.js";

/** @typedef {"denied" | "system" | "missing" | "busy" | "insecure" | "unsupported" | "failed"} Problem */

/** Names of W3C Media Capture and Streams, and what older browsers called them. */
const NAMES = {
  NotAllowedError: "denied",
  PermissionDeniedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  DevicesNotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  TrackStartError: "busy",
  AbortError: "busy",
};

/**
 * @param {{name: string, message?: string}} error of getUserMedia
 * @returns {Problem}
 */
export function problemOf(error) {
  if (error.name === "NotAllowedError" && /system/i.test(error.message ?? "")) return "system";
  return NAMES[error.name] ?? "failed";
}

/** @returns {Problem | ""} why there is no way to ask at all */
export function cannotAsk() {
  if (navigator.mediaDevices?.getUserMedia) return "";
  return window.isSecureContext ? "unsupported" : "insecure";
}

/** Where the advice depends on: the browser, the system, or what sort of device this is. */
const BY = {
  denied: (at) => at.name,
  system: (at) => at.system,
  missing: (at) => (at.phone ? "phone" : "computer"),
  busy: (at) => (at.phone ? "phone" : "computer"),
  unsupported: (at) => at.system,
};

/**
 * @param {Problem} problem
 * @param {import("./browser.js").Browser} [at]
 * @returns {string} what to do about it
 */
export function fix(problem, at = browser) {
  if (problem === "denied" && at.within) return text(unsupportedKey(at));
  const by = BY[problem];
  if (!by) return text(`fix.${problem}`);
  const key = `fix.${problem}.${by(at)}`;
  return text(has(key) ? key : `fix.${problem}.other`);
}

function unsupportedKey(at) {
  const key = `fix.unsupported.${at.system}`;
  return has(key) ? key : "fix.unsupported.other";
}
