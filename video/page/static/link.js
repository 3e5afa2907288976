/* Keeps the media going: one session after another, watched twice a second, mended before anybody asks. */
import { AudioOnly } from "./audio_only.js";
import { MediaSession } from "./media.js";
import { judge, sample, Steady } from "./quality.js";
import { Stall } from "./stall.js";

const LOOK = 500;
const WAITS = [0, 300, 700, 1500, 2500, 4000];
/** The room does not take an offer of this page any more. */
const FINAL = new Set(["ended", "session", "denied", "not-now"]);

/** Says "media" (other tracks arrive), "state" (wait, good, fair, poor, lost), "paused" (camera) and "look" (a sample). */
export class Link extends EventTarget {
  /** @type {MediaSession | null} */
  session = null;
  state = "wait";
  #tracks = {};
  #stall = new Stall();
  #audioOnly = new AudioOnly();
  #word = new Steady("good");
  #samples = [];
  #timer = 0;
  #run = 0;
  #renewing = false;
  #failures = 0;
  #hurry = () => undefined;
  #busy = false;

  /** @param {import("./join.js").Seat} seat @param {() => void} lost called when the line is dead, for the socket's sake */
  constructor(seat, lost) {
    super();
    this.seat = seat;
    this.lost = lost;
    window.addEventListener("online", () => this.running && this.#restart());
  }

  get running() {
    return this.#timer !== 0;
  }

  get paused() {
    return this.#audioOnly.paused;
  }

  start() {
    if (this.running) return;
    this.#timer = window.setInterval(() => this.#look(), LOOK);
    this.#renew();
  }

  /** @param {boolean} [told] */
  stop(told = false) {
    window.clearInterval(this.#timer);
    this.#timer = 0;
    this.#run++;
    this.session?.close(told);
    this.session = null;
  }

  /** @param {string} source @param {MediaStreamTrack | null} track */
  send(source, track) {
    if ((this.#tracks[source] ?? null) === track) return;
    this.#tracks[source] = track;
    if (source === "camera" && track) this.#audioOnly.begin(Date.now());
    this.session?.replace(source, this.#due(source));
  }

  #due(source) {
    return source === "camera" && this.paused ? null : (this.#tracks[source] ?? null);
  }

  /** The service may have been started anew and know nothing of the session; whoever waits for it need wait no more. */
  check() {
    this.#hurry();
    if (!this.running || !this.#stall.quiet(Date.now())) return;
    if (this.state !== "wait") this.#say("lost");
    this.#renew();
  }

  tryCamera() {
    this.#audioOnly.tryNow(Date.now());
    this.#pause();
  }

  /** A new session, as often as it takes; only one of these runs at a time. */
  async #renew() {
    if (this.#renewing) return;
    this.#renewing = true;
    await this.#tryAll(++this.#run).finally(() => (this.#renewing = false));
  }

  async #tryAll(run) {
    for (let tries = 0; run === this.#run; tries++) {
      const wait = await this.#begin(run);
      if (wait === null) return;
      const pause = new Promise((done) => (this.#hurry = done, window.setTimeout(done, WAITS[Math.min(tries + 1, WAITS.length - 1)])));
      await Promise.all([pause, new Promise((done) => window.setTimeout(done, wait))]);
    }
  }

  /** @returns {Promise<number | null>} null when there is nothing more to try, else ms to wait at least */
  async #begin(run) {
    const session = new MediaSession(this.seat.ice, this.seat.slots, this.seat.policy, this.sealing);
    session.addEventListener("state", () => session === this.session && this.#stateOf(session));
    const before = this.session;
    this.session = session;
    this.#stall.begin(Date.now());
    this.#audioOnly.begin(Date.now());
    try {
      await session.start(Object.fromEntries(["microphone", "camera", "screen"].map((name) => [name, this.#due(name)])));
    } catch (refused) {
      session.close();
      this.session = before;
      if (run === this.#run && !FINAL.has(refused.code)) this.#failed();
      return FINAL.has(refused.code) ? null : (refused.retry ?? 0) * 1000;
    }
    before?.close();
    if (run === this.#run) this.dispatchEvent(new Event("media"));
    else session.close();
    return null;
  }

  /** The first tries are not spoken of: nothing is lost that has not been there. */
  #failed() {
    if (this.state !== "wait" || ++this.#failures > 2) this.#say("lost");
  }

  #stateOf(session) {
    if (session.state === "connected") this.#say(this.#word.word);
    else if (session.state === "failed") this.#mend("renew");
  }

  async #look() {
    const session = this.session;
    if (!session || this.#busy || session.state === "closed") return;
    this.#busy = true;
    try {
      const now = sample(await session.pc.getStats(), Date.now());
      if (session === this.session) this.#judge(session, now);
    } finally {
      this.#busy = false;
    }
  }

  #judge(session, now) {
    if (session.state === "new" || (session.state === "connecting" && this.state === "wait")) return this.#mend(this.#late(now));
    this.#samples = [...this.#samples.slice(-2), now];
    this.#mend(this.#stall.look(now));
    const dead = this.#stall.dead || session.state !== "connected";
    if (!dead) this.#say(this.#word.look(judge(now, this.#samples[0])));
    this.#audioOnly.look(now, Boolean(this.#tracks.camera));
    if (Boolean(this.#due("camera")) !== Boolean(session.senders.camera.track)) this.#pause();
    this.dispatchEvent(new CustomEvent("look", { detail: { now, before: this.#samples[0] } }));
    return undefined;
  }

  /** A session that never came up is treated like one that fell silent. */
  #late(now) {
    return this.#stall.look({ ...now, heard: 0, packets: 0 });
  }

  #mend(what) {
    if (!what) return;
    if (this.state !== "wait") this.#say("lost");
    this.lost();
    if (what === "renew") this.#renew();
    else this.#restart();
  }

  #restart() {
    this.session?.restart().catch((refused) => !FINAL.has(refused.code) && this.#renew());
  }

  #pause() {
    this.session?.replace("camera", this.#due("camera"));
    this.dispatchEvent(new Event("paused"));
  }

  #say(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
