/* Captions: what an interpreter or CART writer types in the chat stands under the pictures as well. */
import { $, make, show } from "./dom.js";

const LINES = 3;
const WRITERS = new Set(["interpreter"]);
const KEPT = "hearth.captions";

/** The strip "captions". */
export class Captions {
  #shown = 0;
  on = localStorage.getItem(KEPT) !== "off";

  /** @param {import("./room.js").Room} room */
  constructor(room) {
    this.room = room;
    const box = $("settings-captions");
    box.checked = this.on;
    box.onchange = () => this.#switch(box.checked);
  }

  #switch(on) {
    this.on = on;
    localStorage.setItem(KEPT, on ? "on" : "off");
    show($("captions"), on && $("captions").childElementCount > 0);
  }

  draw() {
    const { chat, members } = this.room.state;
    const writers = new Set(members.filter(({ role }) => WRITERS.has(role)).map(({ member }) => member));
    for (const { from, text } of chat.slice(this.#shown)) if (text && writers.has(from)) this.#add(text);
    this.#shown = chat.length;
  }

  #add(said) {
    const box = $("captions");
    box.append(make("p", {}, said));
    while (box.childElementCount > LINES) box.firstElementChild.remove();
    show(box, this.on);
  }
}
