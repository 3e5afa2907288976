/* The test of camera, microphone and loudspeaker, in words with a remedy. */
import { $, make, put, show } from "./dom.js";
import { KINDS } from "./devices.js";
import { chime, Meter } from "./meter.js";
import { fix } from "./problems.js";
import { text } from "./texts.js";

/** The view "devices" over the devices of this page. */
export class DeviceTest {
  #heard = false;
  #open = false;

  /** @param {import("./devices.js").Devices} devices @param {() => void} done pressed when the test is over */
  constructor(devices, done) {
    this.devices = devices;
    this.meter = new Meter((level, heard) => this.#level(level, heard));
    devices.addEventListener("change", () => this.#open && this.draw());
    $("devices-again").onclick = () => devices.ask();
    $("devices-voice").onclick = () => devices.want("camera", false);
    $("devices-listen").onclick = () => this.#listen();
    $("devices-camera-on").onclick = () => devices.want("camera", true);
    $("devices-sound").onclick = () => this.#sound();
    $("devices-go").onclick = done;
  }

  /** @param {string} go label of the way on */
  open(go) {
    put($("devices-go"), go);
    this.#open = true;
    this.draw();
  }

  close() {
    this.#open = false;
    this.meter.stop();
    $("devices-preview").srcObject = null;
  }

  async #listen() {
    await this.devices.want("camera", false);
    await this.devices.want("microphone", false);
    $("devices-go").click();
  }

  async #sound() {
    await chime(this.devices.chosen.speaker);
    put($("devices-sound-said"), text("devices.sound.played"));
  }

  draw() {
    for (const kind of KINDS) this.#status(kind);
    this.#picture();
    this.#actions();
    for (const kind of [...KINDS, "speaker"]) choices(this.devices, $(`devices-${kind}`), kind);
    this.meter.listen(this.devices.tracks.microphone);
    show($("devices-meter"), Boolean(this.devices.tracks.microphone));
  }

  #picture() {
    const { camera } = this.devices.tracks;
    const video = $("devices-preview");
    if (video.srcObject?.getVideoTracks()[0] !== camera) video.srcObject = camera ? new MediaStream([camera]) : null;
    show(video, Boolean(camera));
    show($("devices-nopicture"), !camera);
  }

  /** @param {import("./devices.js").Kind} kind */
  #status(kind) {
    const { problems, wanted, tracks } = this.devices;
    const problem = wanted[kind] ? problems[kind] : "";
    const row = $(`devices-${kind}-status`);
    row.dataset.state = problem ? "bad" : this.#sign(kind, wanted[kind] && Boolean(tracks[kind]));
    put(row.querySelector("strong"), problem ? text(`problem.${kind}.${problem}`) : this.#words(kind));
    // Both may fail for one reason: its remedy is said once.
    const same = kind === "microphone" && wanted.camera && problems.camera === problem;
    put(row.querySelector("span"), problem && !same ? fix(problem) : "");
  }

  #sign(kind, works) {
    if (!works) return "off";
    return kind === "camera" || this.#heard ? "good" : "wait";
  }

  #words(kind) {
    const { wanted, tracks } = this.devices;
    if (!wanted[kind]) return text(`devices.${kind}.off`);
    if (!tracks[kind]) return text(`devices.${kind}.asking`);
    if (kind === "camera" || this.#heard) return text(`devices.${kind}.good`);
    return text("devices.microphone.quiet");
  }

  #actions() {
    const { wanted, problems, asking } = this.devices;
    const bad = KINDS.filter((kind) => wanted[kind] && problems[kind]);
    show($("devices-asking"), asking);
    show($("devices-again"), bad.length > 0 && !asking);
    show($("devices-voice"), wanted.camera);
    show($("devices-camera-on"), !wanted.camera && !bad.length);
    show($("devices-listen"), bad.includes("microphone"));
    show($("devices-go"), !asking && !bad.length);
  }

  #level(level, heard) {
    $("devices-level").value = level;
    if (!heard || this.#heard) return;
    this.#heard = true;
    this.#status("microphone");
  }
}

/**
 * Fills the list of a kind of device; hidden where there is nothing to choose.
 * @param {import("./devices.js").Devices} devices
 * @param {HTMLSelectElement} select
 * @param {"camera" | "microphone" | "speaker"} kind
 */
export function choices(devices, select, kind) {
  const found = devices.choices(kind);
  const useful = found.length > 1 && (kind !== "speaker" || "setSinkId" in HTMLMediaElement.prototype);
  show(select.closest(".field"), useful);
  const used = devices.tracks[kind]?.getSettings().deviceId ?? devices.chosen[kind];
  const options = found.map(({ deviceId, label }, place) =>
    make("option", { value: deviceId, selected: deviceId === used }, label || text("devices.default", { number: place + 1 })),
  );
  if (document.activeElement !== select) select.replaceChildren(...options);
  select.onchange = () => devices.choose(kind, select.value);
}
