/* A visit that is encrypted end to end: frames go through a worker, keys from page to page; says where that stands. */
import { Agreement } from "./agreement.js";
import { say } from "./announce.js";
import { $, put, show } from "./dom.js";
import { text } from "./texts.js";

const AGAIN = 5000;
const scripted = "RTCRtpScriptTransform" in window;
const streamed = "createEncodedStreams" in (window.RTCRtpSender?.prototype ?? {});

/** Whether this browser can at all; without https none can. */
export const canSeal = Boolean(window.crypto?.subtle && window.Worker && (scripted || streamed));

/** Scripts come from our own address alone (Trusted Types, where the browser has them). */
function started() {
  const own = new URL("./frame_worker.js", import.meta.url).href;
  const policy = window.trustedTypes?.createPolicy("hearth-worker", { createScriptURL: () => own });
  return new Worker(policy ? policy.createScriptURL(own) : own, { type: "module" });
}

/** What a session of this visit goes through; draws the banner "sealed". */
export class Sealing {
  #same = new Set();

  /** @param {import("./room.js").Room} room @param {import("./socket.js").RoomSocket} socket */
  constructor(room, socket) {
    this.room = room;
    this.worker = started();
    const pass = (member, said) => socket.command("pass", { member, text: said }).catch(() => undefined);
    this.agreement = new Agreement(pass);
    for (const what of ["own", "theirs", "forget"]) {
      this.agreement.addEventListener(what, ({ detail }) => this.#changed({ do: what, ...detail }));
    }
    this.agreement.addEventListener("code", ({ detail }) => this.#code(detail));
    socket.addEventListener("event", ({ detail }) => this.#event(detail));
    $("sealed-same").onclick = () => this.#compared();
    this.timer = window.setInterval(() => this.agreement.again(), AGAIN);
  }

  /** Only browsers without scripted transforms must be told before the connection is made. */
  get configuration() {
    return scripted ? {} : { encodedInsertableStreams: true };
  }

  /** @param {RTCRtpSender} sender @param {string} source */
  send(sender, source) {
    this.#attach(sender, { way: "send", source });
  }

  /** @param {RTCRtpReceiver} receiver @param {string} source @param {number} slot */
  receive(receiver, source, slot) {
    this.#attach(receiver, { way: "receive", source, slot });
  }

  #attach(end, options) {
    if (scripted) {
      end.transform = new RTCRtpScriptTransform(this.worker, options);
      return;
    }
    const { readable, writable } = end.createEncodedStreams();
    this.worker.postMessage({ do: "stream", readable, writable, options }, [readable, writable]);
  }

  #event(event) {
    if (event.event === "pass" && event.n > this.room.shown) this.agreement.heard(event.from, event.text);
    if (event.event === "state") this.agreement.again();
  }

  #changed(message) {
    this.worker.postMessage(message);
    this.draw();
  }

  #code({ member, code, before }) {
    this.#same.delete(member);
    this.draw();
    const { name } = this.room.others().find((other) => other.member === member) ?? { name: "" };
    if (name) say(text(before ? "sealed.changed" : "sealed.number", { name, code }), Boolean(before));
  }

  #compared() {
    for (const { member } of this.room.others()) if (this.agreement.code(member)) this.#same.add(member);
    this.draw();
    $("control-microphone").focus();
  }

  draw() {
    const others = this.room.others();
    this.#tell(others);
    show($("sealed"), true);
    const lines = others.map((other) => this.#line(other));
    const done = others.every(({ member }) => this.#same.has(member));
    put($("sealed-text"), [text(done ? "sealed.done" : "sealed"), ...lines].join(" "));
    show($("sealed-same"), others.some(({ member }) => this.agreement.code(member) && !this.#same.has(member)));
  }

  /** Who is in the visit and where, only when it is another. */
  #tell(others) {
    const { slots } = this.room.state;
    const members = [];
    for (const { slot, member } of slots) members[slot] = member;
    const told = JSON.stringify([others.map(({ member }) => member), members]);
    if (told === this.told || this.room.state.standing !== "admitted") return;
    this.told = told;
    this.worker.postMessage({ do: "slots", members });
    this.agreement.set(others.map(({ member }) => member));
  }

  #line({ member, name }) {
    const code = this.agreement.code(member);
    if (!code || !this.agreement.hears(member)) return text("sealed.waits", { name });
    const whole = code.replace(" ", "\u00a0");
    return text(this.#same.has(member) ? "sealed.same" : "sealed.compare", { name, code: whole });
  }

  stop() {
    window.clearInterval(this.timer);
    this.worker.terminate();
    show($("sealed"), false);
  }
}
