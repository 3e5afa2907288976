/* Camera and microphone of this page: asked for once, kept for the visit. What is not wanted is never asked for. */
import { cannotAsk, problemOf } from "./problems.js";

/** @typedef {"camera" | "microphone"} Kind */

export const KINDS = /** @type {Kind[]} */ (["camera", "microphone"]);
const INPUT = { camera: "videoinput", microphone: "audioinput", speaker: "audiooutput" };
const ASKED = { camera: "video", microphone: "audio" };
const WISHES = {
  camera: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 }, facingMode: "user" },
  microphone: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
};
const KEPT = "hearth.devices";

/** Says "change" whenever anything of it is another. */
export class Devices extends EventTarget {
  /** @type {Record<Kind, MediaStreamTrack | null>} */
  tracks = { camera: null, microphone: null };
  /** @type {Record<Kind, import("./problems.js").Problem | "">} */
  problems = { camera: "", microphone: "" };
  asking = false;
  /** @type {MediaDeviceInfo[]} */
  list = [];

  constructor() {
    super();
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
    this.wanted = { camera: true, microphone: true, ...kept.wanted };
    this.chosen = { camera: "", microphone: "", speaker: "", ...kept.chosen };
    this.muted = Boolean(kept.muted);
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#enumerate());
  }

  /** Asks for what is wanted and not there yet; never throws, see problems. */
  async ask() {
    const due = KINDS.filter((kind) => this.wanted[kind] && !this.#live(kind));
    const impossible = cannotAsk();
    for (const kind of due) this.problems[kind] = impossible;
    if (due.length && !impossible) await this.#ask(due);
    if (!impossible) await this.#enumerate();
    this.#changed();
  }

  async #ask(due) {
    this.asking = true;
    this.#changed();
    try {
      await this.#get(due);
    } catch (error) {
      await this.#apart(due, problemOf(error));
    } finally {
      this.asking = false;
    }
  }

  /** One question for all of them; throws what getUserMedia throws. */
  async #get(kinds) {
    const constraints = Object.fromEntries(kinds.map((kind) => [ASKED[kind], this.#wish(kind)]));
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    for (const kind of kinds) this.#adopt(kind, stream.getTracks().find((track) => track.kind === ASKED[kind]));
  }

  #wish(kind) {
    const id = this.chosen[kind];
    return id ? { ...WISHES[kind], facingMode: undefined, deviceId: { ideal: id } } : WISHES[kind];
  }

  #adopt(kind, track) {
    if (!track) return;
    if (!this.wanted[kind]) return track.stop();
    this.tracks[kind]?.stop();
    this.tracks[kind] = track;
    this.problems[kind] = "";
    if (kind === "microphone") track.enabled = !this.muted;
    track.addEventListener("ended", () => this.#ended(kind, track));
  }

  #ended(kind, track) {
    if (this.tracks[kind] !== track) return;
    this.tracks[kind] = null;
    this.problems[kind] = "missing";
    this.#changed();
  }

  /** One of two failed: the other may do. What was denied is not asked for a second time by ourselves. */
  async #apart(due, problem) {
    const refused = problem === "denied" || problem === "system";
    for (const kind of due) {
      this.problems[kind] = problem;
      if (due.length > 1 && (!refused || (await granted(kind)))) {
        await this.#get([kind]).catch((error) => (this.problems[kind] = problemOf(error)));
      }
    }
  }

  #live(kind) {
    return this.tracks[kind]?.readyState === "live";
  }

  async #enumerate() {
    this.list = (await navigator.mediaDevices.enumerateDevices?.()) ?? [];
    this.#changed();
  }

  /** @param {Kind | "speaker"} kind @returns {MediaDeviceInfo[]} what there is to choose from */
  choices(kind) {
    return this.list.filter((device) => device.kind === INPUT[kind] && device.deviceId);
  }

  /** @param {Kind | "speaker"} kind @param {string} id of a device */
  async choose(kind, id) {
    this.chosen[kind] = id;
    if (kind !== "speaker") {
      const before = this.tracks[kind];
      this.tracks[kind] = null;
      before?.stop();
      this.wanted[kind] = true;
      await this.ask();
    }
    this.#changed();
  }

  /** @param {Kind} kind @param {boolean} on: off lets go of the device, so that its light goes out */
  async want(kind, on) {
    this.wanted[kind] = on;
    this.problems[kind] = "";
    if (on) return this.ask();
    const track = this.tracks[kind];
    this.tracks[kind] = null;
    track?.stop();
    return this.#changed();
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.muted = muted;
    if (this.tracks.microphone) this.tracks.microphone.enabled = !muted;
    this.#changed();
  }

  release() {
    for (const kind of KINDS) {
      this.tracks[kind]?.stop();
      this.tracks[kind] = null;
    }
    this.#changed();
  }

  #changed() {
    const { wanted, chosen, muted } = this;
    sessionStorage.setItem(KEPT, JSON.stringify({ wanted, chosen, muted }));
    this.dispatchEvent(new Event("change"));
  }
}

async function granted(kind) {
  try {
    return (await navigator.permissions.query({ name: kind })).state === "granted";
  } catch {
    return false;
  }
}
