/* The waiting room: what happens, what comes next, how long it has been. */
import { $, put } from "./dom.js";
import { minutes, text } from "./texts.js";

/** The view "waiting". */
export class Waiting {
  #since = 0;
  #timer = 0;

  /** @param {import("./room.js").State} state */
  draw(state) {
    put($("waiting-who"), text(state.clinician ? "waiting.here" : "waiting.alone"));
    this.#since = state.since;
    this.#time();
    this.#timer ||= window.setInterval(() => this.#time(), 5000);
  }

  close() {
    window.clearInterval(this.#timer);
    this.#timer = 0;
  }

  #time() {
    const waited = Date.now() - this.#since;
    put($("waiting-time"), waited < 60000 ? text("waiting.now") : text("waiting.since", { time: minutes(waited) }));
  }
}
