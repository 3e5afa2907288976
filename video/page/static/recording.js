/* Recording: asked of everybody, seen by everybody all the time, taken back with one click. */
import { say } from "./announce.js";
import { question } from "./dialogs.js";
import { $, put, show } from "./dom.js";
import { nameOf } from "./room.js";
import { text } from "./texts.js";

/** The strip "recording", and the clinician's control. */
export class Recording {
  /** @param {import("./room.js").Room} room @param {import("./socket.js").RoomSocket} socket @param {boolean} possible */
  constructor(room, socket, possible) {
    Object.assign(this, { room, socket, possible: possible && room.clinician });
    $("control-record").onclick = () => (room.state.recording.by ? this.#do("stop-recording") : this.#ask());
    $("recording-agree").onclick = () => this.#do("agree");
    $("recording-withdraw").onclick = () => this.#do("withdraw");
  }

  draw() {
    const { on, by, agreed } = this.room.state.recording;
    const own = agreed.includes(this.room.me);
    show($("recording"), by !== "" || own);
    $("recording").classList.toggle("on", on);
    put($("recording-text"), this.#words(own));
    show($("recording-agree"), by !== "" && !own);
    put($("recording-withdraw"), text(own ? "recording.withdraw" : "recording.no"));
    show($("control-record"), this.possible);
    put($("control-record").querySelector(".label"), text(by ? "control.record.stop" : "control.record"));
    $("control-record").classList.toggle("off", by !== "");
  }

  #words(own) {
    const { state, me } = this.room;
    const { on, by, agreed } = state.recording;
    const inside = state.members.filter(({ standing }) => standing === "admitted").map(({ member }) => member);
    const names = (members) => members.map((id) => (id === me ? text("recording.you") : nameOf(state, id))).join(", ");
    if (on) return text("recording.running", { names: names(agreed) });
    if (!by) return text("recording.kept");
    if (!own) return text("recording.asked", { name: nameOf(state, by) });
    const open = inside.filter((id) => !agreed.includes(id));
    return open.length ? text("recording.waits", { names: names(open) }) : text("recording.soon");
  }

  #ask() {
    const way = { label: text("record.ask"), go: () => this.#do("record") };
    question(text("record.heading"), text("record.text"), [way], text("record.not"));
  }

  #do(what) {
    this.socket.command(what).catch((refused) => say(refused.message, true));
  }
}
