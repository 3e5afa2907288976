/* The chat: always there, said to screen readers, sent again by itself after a break of the line. */
import { say } from "./announce.js";
import { $, make, put, show } from "./dom.js";
import { link } from "./files.js";
import { text } from "./texts.js";

const keyOf = ({ from, id }) => `${from} ${id}`;

/** The panel "chat". */
export class Chat {
  #shown = new Set();
  #past;
  /** Messages that came while the panel was closed. */
  unread = 0;

  /**
   * @param {import("./room.js").Room} room
   * @param {import("./socket.js").RoomSocket} socket
   * @param {number} longest characters of a message
   * @param {() => boolean} open whether the panel is
   */
  constructor(room, socket, longest, open) {
    Object.assign(this, { room, socket, open });
    this.#past = new Set(room.state.chat.map(keyOf));
    const field = $("chat-field");
    field.maxLength = longest;
    field.addEventListener("keydown", (event) => this.#key(event));
    $("chat-form").addEventListener("submit", (event) => this.#submit(event));
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $("chat-form").requestSubmit();
  }

  async #submit(event) {
    event.preventDefault();
    const field = $("chat-field");
    const said = field.value.trim();
    if (!said) return;
    field.value = "";
    put($("chat-state"), text("chat.sending"));
    try {
      await this.socket.command("chat", { text: said });
      put($("chat-state"), "");
    } catch (refused) {
      put($("chat-state"), text("chat.failed", { reason: refused.message }));
      field.value ||= said;
    }
  }

  /** @param {boolean} past whether these were said before the page was loaded again */
  draw(past) {
    const { chat } = this.room.state;
    for (const message of chat) {
      if (!this.#shown.has(keyOf(message))) this.#add(message, past || this.#past.has(keyOf(message)));
      this.#shown.add(keyOf(message));
    }
    show($("chat-empty"), chat.length === 0);
  }

  #add(message, past) {
    const { from, name, text: said, at } = message;
    const own = from === this.room.me;
    const time = new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const head = make("p", { className: "by" }, `${own ? text("chat.you") : name} · ${time}`);
    const words = message.file ? link(message) : make("p", { className: "words" }, said);
    $("chat-log").append(make("li", { className: own ? "own" : "" }, head, words));
    $("chat-log").lastChild.scrollIntoView({ block: "nearest" });
    if (own || past) return;
    if (this.open()) return;
    this.unread++;
    say(message.file ? text("said.file", { name, file: message.file }) : text("said.chat", { name, text: said }));
  }

  /** The panel is open now. */
  read() {
    this.unread = 0;
    $("chat-log").lastChild?.scrollIntoView({ block: "nearest" });
  }
}
