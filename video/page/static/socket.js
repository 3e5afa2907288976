/* The WebSocket of the room: events in their order, commands with an answer, back by itself after every break. */
import { address, Refused, resume } from "./join.js";

/** Closings after which coming back would be wrong (docs/video.md). */
export const CLOSED = { 4000: "ended", 4001: "elsewhere", 4002: "left", 4003: "denied" };
/** Refusals that say the same. */
const OVER = { ended: "ended", session: "session", denied: "denied" };
/** ms; a process that was killed is there again in a few seconds, one that is not may take its time. */
const WAITS = [0, 250, 500, 500, ...Array(10).fill(700), 1000, 2000, 4000];

/** Says "open", "down", "event" (detail: the event) and "closed" (detail: why). */
export class RoomSocket extends EventTarget {
  #socket = null;
  #pending = new Map();
  #tries = 0;
  #timer = 0;
  #count = 0;
  #done = false;

  /** @param {number} after number of the last event that the page has */
  constructor(after) {
    super();
    this.after = after;
    this.prefix = Math.random().toString(36).slice(2, 8);
    window.addEventListener("online", () => this.#now());
  }

  open() {
    const at = address(`visit/events?after=${this.after}`);
    at.protocol = at.protocol.replace("http", "ws");
    const socket = new WebSocket(at);
    this.#socket = socket;
    socket.addEventListener("open", () => this.#opened(socket));
    socket.addEventListener("message", ({ data }) => this.#heard(JSON.parse(data)));
    socket.addEventListener("close", ({ code }) => socket === this.#socket && this.#closed(code));
  }

  #opened(socket) {
    this.#tries = 0;
    for (const { message } of this.#pending.values()) socket.send(message);
    this.dispatchEvent(new Event("open"));
  }

  #heard(message) {
    if (message.event) {
      this.after = message.n;
      this.dispatchEvent(new CustomEvent("event", { detail: message }));
      return;
    }
    const waiting = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.done) waiting?.resolve();
    else waiting?.reject(new Refused(message.refused, message.text));
  }

  #closed(code) {
    this.#socket = null;
    if (this.#done) return;
    if (CLOSED[code]) {
      this.#over(CLOSED[code]);
      return;
    }
    this.dispatchEvent(new Event("down"));
    if (this.#tries === 2) this.#why();
    const wait = WAITS[Math.min(this.#tries++, WAITS.length - 1)];
    this.#timer = window.setTimeout(() => this.open(), wait * (0.75 + Math.random() / 2));
  }

  /** A handshake that fails says nothing of why. */
  async #why() {
    await resume().catch(({ code }) => OVER[code] && this.#over(OVER[code]));
  }

  #over(why) {
    if (this.#done) return;
    this.close();
    this.dispatchEvent(new CustomEvent("closed", { detail: why }));
  }

  #now() {
    if (this.#done || this.#socket) return;
    window.clearTimeout(this.#timer);
    this.open();
  }

  /** A socket that may be dead without knowing it is opened anew. */
  renew() {
    const before = this.#socket;
    if (!before || this.#done || before.readyState === WebSocket.CONNECTING) return;
    this.open();
    before.close();
  }

  /**
   * Asks the room for something. What was asked while the line is down is asked again, under the same id, when it is up.
   * @param {string} what
   * @param {Record<string, any>} [fields]
   * @returns {Promise<void>} throws Refused
   */
  command(what, fields = {}) {
    const id = `${this.prefix}-${++this.#count}`;
    const message = JSON.stringify({ id, do: what, ...fields });
    const answered = new Promise((resolve, reject) => this.#pending.set(id, { message, resolve, reject }));
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(message);
    return answered;
  }

  close() {
    this.#done = true;
    window.clearTimeout(this.#timer);
    this.#socket?.close();
  }
}
