/* What everybody in the visit must see now: a strip for each matter, above the pictures. */
import { say } from "./announce.js";
import { $, put, show } from "./dom.js";
import { nameOf } from "./room.js";
import { text } from "./texts.js";

/**
 * @typedef {object} Matters
 * @property {import("./room.js").Room} room
 * @property {import("./socket.js").RoomSocket} socket
 * @property {import("./link.js").Link} link
 * @property {import("./devices.js").Devices} devices
 */

/** Strips of the view "visit". */
export class Banners {
  #quality = "good";
  #silenced = false;

  /** @param {Matters} matters @param {() => void} play plays the sound that the browser held back */
  constructor({ room, socket, link, devices }, play) {
    Object.assign(this, { room, link });
    $("hold-resume").onclick = () => socket.command("unhold").catch((refused) => say(refused.message, true));
    $("muteasked-yes").onclick = () => this.#answer(() => devices.mute(true));
    $("muteasked-no").onclick = () => this.#answer(() => undefined);
    $("audioonly-try").onclick = () => link.tryCamera();
    $("sound-play").onclick = () => this.#play(play);
    link.addEventListener("state", () => this.#link());
    link.addEventListener("paused", () => this.#paused());
  }

  draw() {
    const { held, askedBy, draining } = this.room.state;
    this.#hold(held);
    show($("muteasked"), askedBy !== "");
    if (askedBy) put($("muteasked-text"), text("muteasked.text", { name: nameOf(this.room.state, askedBy) }));
    show($("draining"), draining);
  }

  #hold(held) {
    const was = $("hold").dataset.held ?? "";
    show($("hold"), held !== "");
    show($("hold-resume"), held === "self");
    if (held) put($("hold-text"), text(`hold.${held}`));
    if (was && !held) say(text("hold.over"), true);
    $("hold").dataset.held = held;
  }

  #answer(then) {
    this.room.answered();
    this.draw();
    then();
    $("control-microphone").focus();
  }

  #link() {
    const { state } = this.link;
    for (const place of document.querySelectorAll(".quality")) {
      place.dataset.state = state;
      put(place.querySelector(".quality-words"), text(`quality.${state}`));
    }
    show($("lost"), state === "lost");
    if (state === "lost" || state === "wait") return;
    if (state !== this.#quality) say(text(`quality.${state}.said`));
    this.#quality = state;
  }

  #paused() {
    const { paused } = this.link;
    if ($("audioonly").hidden && !paused) return;
    show($("audioonly"), paused);
    say(text(paused ? "audioonly.banner" : "audioonly.over"));
  }

  /** The browser waits for a click before it plays. */
  silenced() {
    if (this.#silenced) return;
    this.#silenced = true;
    show($("sound"), true);
  }

  #play(play) {
    this.#silenced = false;
    show($("sound"), false);
    play();
    $("control-microphone").focus();
  }
}
