/* How the page gets its seat: a ticket or an invitation from the address, or the session of before. */

/** What the service refused; the code is for programs, the message for people. */
export class Refused extends Error {
  /** @param {string} code @param {string} message @param {number} [status] @param {number} [retry] seconds */
  constructor(code, message, status = 0, retry = 0) {
    super(message);
    Object.assign(this, { code, status, retry });
  }
}

/**
 * @typedef {object} Seat
 * @property {string} room
 * @property {string} member
 * @property {string} role
 * @property {string} name
 * @property {number} slots
 * @property {RTCIceServer[]} ice
 * @property {RTCIceTransportPolicy} policy
 * @property {number} events
 * @property {any} state
 * @property {string} [chart] address of the chart beside the picture
 * @property {{chat: number, file: number}} [longest] characters, and bytes
 * @property {boolean} [encrypted] end to end
 */

const ROOM = "hearth.room";
const USED = "hearth.ticket";

/**
 * The address of something of the service; it names the room, because a clinician may be in two visits in two tabs.
 * @param {string} path below the page
 * @returns {URL}
 */
export function address(path) {
  const made = new URL(path, document.baseURI);
  const room = sessionStorage.getItem(ROOM);
  if (room) made.searchParams.set("room", room);
  return made;
}

/**
 * @param {string} path below the page
 * @param {RequestInit} [options]
 * @returns {Promise<Response>} throws Refused, and Refused("network") when nobody answers
 */
export async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(address(path), { credentials: "same-origin", cache: "no-store", ...options });
  } catch {
    throw new Refused("network", "");
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Refused(told.refused ?? "http", told.text ?? "", answer.status, Number(answer.headers.get("Retry-After")));
}

async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  return (await ask(path, { method: "POST", body: JSON.stringify(body), headers })).json();
}

/** @returns {Promise<Seat>} */
async function join(ticket) {
  const seat = await post("visit/join", { ticket });
  sessionStorage.setItem(ROOM, seat.room);
  return seat;
}

/** @returns {Promise<Seat>} */
export async function resume() {
  const seat = await (await ask("visit/session")).json();
  sessionStorage.setItem(ROOM, seat.room);
  return seat;
}

/** What remains of a ticket: enough to know the same one again, of no use to anybody else. */
async function print(ticket) {
  const digest = await crypto.subtle?.digest("SHA-256", new TextEncoder().encode(ticket));
  return digest ? btoa(String.fromCharCode(...new Uint8Array(digest))) : "";
}

/**
 * A ticket that was used already may be the same link opened again: then the session that it bought is meant. Any other
 * session is not: somebody would wait, or worse talk, in another visit than the link says.
 */
async function joinOrResume(ticket) {
  const mark = await print(ticket);
  try {
    const seat = await join(ticket);
    localStorage.setItem(USED, JSON.stringify({ mark, room: seat.room }));
    return seat;
  } catch (refused) {
    const used = JSON.parse(localStorage.getItem(USED) ?? "{}");
    if (refused.code !== "ticket" || !mark || used.mark !== mark) throw refused;
    sessionStorage.setItem(ROOM, used.room);
    return resume();
  }
}

/**
 * @param {import("./ticket.js").link} link
 * @returns {Promise<{seat: Seat, fresh: boolean}>} fresh when somebody should say who they are
 */
export async function enter({ kind, secret }) {
  if (!secret) return { seat: await resume(), fresh: false };
  const { ticket, url } = kind === "ticket" ? { ticket: secret } : await post("visit/invitation", { invitation: secret });
  if (url) {
    location.replace(url);
    await new Promise(() => undefined); // the page goes to the process that has the visit
  }
  return { seat: await joinOrResume(ticket), fresh: true };
}
