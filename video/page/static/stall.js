/* When the line is dead, and what to do: restart ICE after a second, then a new session. Pure: the clock is passed in. */

/** ms without anything heard while media came in a steady stream, or while nobody sent. */
const FLOWING = 1000;
const QUIET = 6000;
/** ms that a restart gets before a new session is made, and a new session before the next. */
const RESTARTED = 1500;
const RENEWED = 4000;
/** Packets in a look that are a steady stream. */
const STREAM = 5;

export class Stall {
  #before = null;
  #heardAt = 0;
  #flowing = false;
  #tried = "";
  #triedAt = 0;

  /** @param {number} now ms: a new session begins */
  begin(now) {
    this.#before = null;
    this.#heardAt = now;
    this.#flowing = false;
  }

  /**
   * @param {import("./quality.js").Sample} sample
   * @returns {"" | "restart" | "renew"} what to do now
   */
  look(sample) {
    const before = this.#before;
    this.#before = sample;
    if (!before || sample.heard > before.heard) return this.#alive(sample, before);
    if (sample.at - this.#heardAt < (this.#flowing ? FLOWING : QUIET)) return "";
    return this.#next(sample.at);
  }

  #alive(sample, before) {
    this.#heardAt = sample.at;
    this.#tried = "";
    if (before) this.#flowing = sample.packets - before.packets >= STREAM;
    return "";
  }

  #next(now) {
    const wait = { "": 0, restart: RESTARTED, renew: RENEWED }[this.#tried];
    if (this.#tried && now - this.#triedAt < wait) return "";
    this.#tried = this.#tried ? "renew" : "restart";
    this.#triedAt = now;
    return this.#tried;
  }

  /** @param {number} now ms @returns {boolean} whether nothing was heard for a second */
  quiet(now) {
    return now - this.#heardAt > FLOWING;
  }

  /** @returns {boolean} whether something was tried that has not helped yet */
  get dead() {
    return this.#tried !== "";
  }
}
