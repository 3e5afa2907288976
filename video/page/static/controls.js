/* The bar of controls, the panels beside the pictures, the dialog of devices. */
import { say } from "./announce.js";
import { choices } from "./device_test.js";
import { KINDS } from "./devices.js";
import { $, put, show } from "./dom.js";
import { canShare } from "./share.js";
import { text } from "./texts.js";

const PANELS = ["chat", "people"];

/** The bar "controls". */
export class Controls {
  #panel = "";

  /**
   * @param {import("./devices.js").Devices} devices
   * @param {import("./share.js").Share} share
   * @param {{leave: () => void, opened: (panel: string) => void}} told
   */
  constructor(devices, share, told) {
    Object.assign(this, { devices, share, told });
    $("control-microphone").onclick = () => this.#microphone();
    $("control-camera").onclick = () => this.#camera();
    $("control-share").onclick = () => (share.track ? share.stop() : share.start());
    $("control-settings").onclick = () => this.#settings();
    $("control-leave").onclick = told.leave;
    $("settings-done").onclick = () => $("settings").close();
    for (const name of PANELS) this.#wirePanel(name);
    devices.addEventListener("change", () => this.draw());
    share.addEventListener("change", () => this.draw());
  }

  #wirePanel(name) {
    $(`control-${name}`).onclick = () => this.open(this.#panel === name ? "" : name);
    $(`${name}-close`).onclick = () => this.open("");
    $(name).addEventListener("keydown", (event) => event.key === "Escape" && this.open(""));
  }

  /** @returns {string} name of the panel that is open, "" for none */
  get panel() {
    return this.#panel;
  }

  /** @param {string} name of PANELS, "" for none; the focus goes there and comes back */
  open(name) {
    const before = this.#panel;
    this.#panel = name;
    for (const each of PANELS) {
      show($(each), each === name);
      $(`control-${each}`).setAttribute("aria-expanded", String(each === name));
    }
    $("visit").classList.toggle("with-panel", name !== "");
    if (name) {
      this.told.opened(name);
      $(name === "chat" ? "chat-field" : "people-heading").focus();
    } else if (before) $(`control-${before}`).focus();
  }

  async #microphone() {
    const { devices } = this;
    if (!devices.tracks.microphone) {
      devices.mute(false);
      await devices.want("microphone", true);
      if (!devices.tracks.microphone) return this.#settings();
    } else devices.mute(!devices.muted);
    return say(text(devices.muted ? "said.muted" : "said.unmuted"));
  }

  async #camera() {
    const on = !this.devices.tracks.camera;
    await this.devices.want("camera", on);
    if (on && !this.devices.tracks.camera) return this.#settings();
    return say(text(on ? "said.camera.on" : "said.camera.off"));
  }

  #settings() {
    this.draw();
    $("settings").showModal();
  }

  draw() {
    const { tracks, muted } = this.devices;
    const heard = Boolean(tracks.microphone) && !muted;
    button("microphone", heard ? "control.mute" : "control.unmute", heard ? "mic" : "mic-off", !heard);
    button("camera", tracks.camera ? "control.camera.off" : "control.camera.on", tracks.camera ? "cam" : "cam-off", !tracks.camera);
    button("share", this.share.track ? "control.unshare" : "control.share", "screen", Boolean(this.share.track));
    show($("control-share"), canShare);
    show($("sharing"), Boolean(this.share.track));
    if ($("settings").open || !$("visit").hidden) this.#fill();
  }

  #fill() {
    for (const kind of [...KINDS, "speaker"]) choices(this.devices, $(`settings-${kind}`), kind);
    const problems = KINDS.filter((kind) => this.devices.wanted[kind] && this.devices.problems[kind]);
    put($("settings-problem"), problems.map((kind) => text(`problem.${kind}.${this.devices.problems[kind]}`)).join(" "));
    show($("settings-problem"), problems.length > 0);
  }

  /** @param {number} unread @param {number} waiting */
  counts(unread, waiting) {
    badge("chat", unread, "control.chat.unread");
    badge("people", waiting, "control.people.waiting");
  }
}

function button(name, label, drawn, off) {
  const made = $(`control-${name}`);
  put(made.querySelector(".label"), text(label));
  made.querySelector("use").setAttribute("href", `#i-${drawn}`);
  made.classList.toggle("off", off);
}

/** Seen as a number, heard in words. */
function badge(name, count, words) {
  const made = $(`control-${name}`);
  const shown = made.querySelector(".badge");
  put(shown, count ? String(count) : "");
  show(shown, count > 0);
  put(made.querySelector(".unseen"), count ? text(words, { count }) : "");
}
