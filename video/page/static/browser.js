/* Which browser this is, as far as the advice for it differs. Never used to refuse anybody. */

const PHONE = /Android|iPhone|iPad|iPod/;
/** Apps that show pages within themselves; most have no camera to give. */
const WITHIN = /FBAN|FBAV|Instagram|Line\/|MicroMessenger|; wv\)|GSA\//;

const BROWSERS = [
  ["edge", /Edg(e|A|iOS)?\//],
  ["samsung", /SamsungBrowser/],
  ["firefox-android", /Android.*Firefox\//],
  ["firefox", /Firefox\//],
  ["chrome-android", /Android.*Chrome\//],
  ["chrome", /Chrome\//],
  ["safari", /Safari\//],
];

/**
 * @typedef {object} Browser
 * @property {string} name as in the texts fix.denied.*
 * @property {string} system ios, android, mac, windows or other
 * @property {boolean} phone
 * @property {boolean} within shown by another app
 */

/**
 * @param {string} agent the User-Agent
 * @param {boolean} touch whether the screen can be touched: an iPad calls itself a Mac
 * @returns {Browser}
 */
export function identify(agent, touch) {
  const apple = /iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && touch);
  return {
    name: apple ? appleBrowser(agent) : (BROWSERS.find(([, sign]) => sign.test(agent))?.[0] ?? "other"),
    system: apple ? "ios" : systemOf(agent),
    phone: apple || PHONE.test(agent),
    within: WITHIN.test(agent),
  };
}

const appleBrowser = (agent) => (/CriOS|FxiOS|EdgiOS|OPiOS/.test(agent) ? "ios-other" : "ios-safari");

function systemOf(agent) {
  if (/Android/.test(agent)) return "android";
  if (/Mac OS X/.test(agent)) return "mac";
  return /Windows/.test(agent) ? "windows" : "other";
}

export const browser = identify(navigator.userAgent, navigator.maxTouchPoints > 1);
