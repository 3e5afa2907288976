/* The pictures: a tile for everybody in the visit, one for a shared screen, and one's own. */
import { $, icon, make, put, show } from "./dom.js";
import { text } from "./texts.js";

/** Looks of half a second without a new frame after which a camera is taken for off. */
const STILL = 3;
/** ms for which a first frame may still be on its way. */
const COMING = 5000;

/** The stage of the view "visit". */
export class Stage {
  /** @type {Map<string, Tile>} by member */
  #tiles = new Map();
  #received = [];
  #screenOf = "";
  #speaker = "";

  /** @param {import("./room.js").Room} room @param {() => void} silenced told when the browser plays no sound */
  constructor(room, silenced) {
    this.room = room;
    this.silenced = silenced;
  }

  /** @param {import("./media.js").Received[]} received by slot, of a new session */
  media(received) {
    this.#received = received;
    for (const tile of this.#tiles.values()) tile.slot = -1;
    this.#screenOf = "";
    this.draw();
  }

  draw() {
    const others = this.room.others();
    const ids = new Set(others.map(({ member }) => member));
    for (const [id, tile] of this.#tiles) if (!ids.has(id)) this.#remove(id, tile);
    for (const member of others) this.#draw(member);
    this.#screen(others);
    this.#alone(others);
    $("stage").dataset.count = String(Math.min(others.length, 5));
  }

  #remove(id, tile) {
    tile.element.remove();
    this.#tiles.delete(id);
  }

  #draw(member) {
    if (!this.#tiles.has(member.member)) {
      const made = new Tile(() => this.silenced());
      made.speaker(this.#speaker);
      this.#tiles.set(member.member, made);
      $("tiles").append(made.element);
    }
    const tile = this.#tiles.get(member.member);
    const slot = this.#slotOf(member.member);
    if (slot !== tile.slot) tile.receive(slot, this.#received[slot]);
    tile.draw(member, this.room.state.quality[member.member]);
  }

  #slotOf(member) {
    return this.room.state.slots.find((slot) => slot.member === member)?.slot ?? -1;
  }

  #screen(others) {
    const sharing = others.find(({ member, sharing }) => sharing && this.#slotOf(member) >= 0);
    const video = $("screen-video");
    show($("screen"), Boolean(sharing));
    $("stage").classList.toggle("with-screen", Boolean(sharing));
    if ((sharing?.member ?? "") === this.#screenOf) return;
    this.#screenOf = sharing?.member ?? "";
    const track = sharing && this.#received[this.#slotOf(sharing.member)]?.screen;
    video.srcObject = track ? new MediaStream([track]) : null;
    if (sharing) put($("screen-name"), text("visit.share.of", { name: sharing.name }));
  }

  #alone(others) {
    show($("alone"), others.length === 0);
    const clinician = this.room.atTheDoor().length ? "visit.alone.waits" : "visit.alone.clinician";
    put($("alone"), text(this.room.clinician ? clinician : "visit.alone"));
  }

  /** @param {Record<string, number>} frames decoded by track: tells a camera that is off from one that is on */
  look(frames) {
    for (const tile of this.#tiles.values()) tile.look(frames);
  }

  /** @param {string} id of the loudspeaker */
  speaker(id) {
    this.#speaker = id;
    for (const tile of this.#tiles.values()) tile.speaker(id);
  }

  /** Once somebody has pressed the button for it, every browser plays. */
  play() {
    for (const tile of this.#tiles.values()) tile.play();
  }

  clear() {
    for (const [id, tile] of this.#tiles) this.#remove(id, tile);
    $("screen-video").srcObject = null;
  }
}

class Tile {
  slot = -1;
  #track = "";
  #frames = 0;
  #still = STILL;
  #since = 0;

  constructor(silenced) {
    this.silenced = silenced;
    this.video = make("video", { autoplay: true, playsInline: true });
    this.video.setAttribute("playsinline", "");
    this.initial = make("span", { className: "initial", "aria-hidden": "true" });
    this.note = make("span", { className: "note-line" });
    this.cover = make("div", { className: "cover" }, this.initial, this.note);
    this.name = make("span", { className: "name" });
    this.muted = make("span", { className: "signal", hidden: true }, icon("mic-off"), make("span", {}, text("tile.silent")));
    this.signal = make("span", { className: "signal", hidden: true }, icon("signal"), make("span"));
    this.element = make("figure", { className: "tile" }, this.video, this.cover,
      make("figcaption", {}, this.name, this.muted, this.signal));
  }

  receive(slot, received) {
    this.slot = slot;
    this.#track = received?.camera.id ?? "";
    this.#still = STILL;
    this.#frames = 0;
    this.#since = Date.now();
    this.video.srcObject = received ? new MediaStream([received.sound, received.camera]) : null;
    if (received) this.play();
  }

  play() {
    this.video.play().catch((error) => error.name === "NotAllowedError" && this.silenced());
  }

  draw(member, quality) {
    this.member = member;
    put(this.name, `${member.name} · ${text(`role.${member.role}`)}`);
    put(this.initial, member.name.trim().slice(0, 1).toUpperCase());
    this.video.setAttribute("aria-label", member.name);
    show(this.muted, member.off.includes("microphone"));
    show(this.signal, quality === "poor");
    put(this.signal.lastChild, quality === "poor" ? text("quality.poor") : "");
    this.#cover();
  }

  look(frames) {
    const now = frames[this.#track] ?? 0;
    this.#still = now > this.#frames ? 0 : this.#still + 1;
    this.#frames = now;
    this.#cover();
  }

  #cover() {
    const { held, media } = this.member;
    const covered = held || !media || this.slot < 0 || this.#still >= STILL || this.member.off.includes("camera");
    show(this.cover, covered);
    put(this.note, covered ? text(this.#why()) : "");
  }

  #why() {
    const { held, media, here } = this.member;
    if (held) return "tile.held";
    if (!media) return here ? "tile.connecting" : "tile.gone";
    if (this.member.off.includes("camera")) return "tile.nocamera";
    const coming = this.#frames === 0 && Date.now() - this.#since < COMING;
    return this.slot < 0 || coming ? "tile.connecting" : "tile.nocamera";
  }

  speaker(id) {
    if (this.video.setSinkId) this.video.setSinkId(id).catch(() => undefined);
  }
}

/** One's own picture. @param {import("./devices.js").Devices} devices @param {boolean} paused for want of bandwidth */
export function drawOwn(devices, paused) {
  const { camera, microphone } = devices.tracks;
  const video = $("own-video");
  if (video.srcObject?.getVideoTracks()[0] !== camera) video.srcObject = camera ? new MediaStream([camera]) : null;
  show(video, Boolean(camera) && !paused);
  show($("own-cover"), !camera || paused);
  show($("own-silent"), !microphone || devices.muted);
}
