/* One media session: an offer of fixed sections, sent at once without gathering; ICE restart; what is received. */
import { ask } from "./join.js";

const SDP = "application/sdp";
const FRAGMENT = "application/trickle-ice-sdpfrag";
/** What this page sends, in the order of its sections; slots follow, three sections each. */
const SOURCES = ["microphone", "camera", "screen"];
const PER_SLOT = ["sound", "camera", "screen"];
const SENT = {
  microphone: ["audio", { maxBitrate: 40000, networkPriority: "high", priority: "high" }],
  camera: ["video", { maxBitrate: 1500000, priority: "medium" }],
  screen: ["video", { maxBitrate: 2500000, priority: "low" }],
};

/** What the service forwards; other codecs would only make the offer long. */
const CODECS = /\/(opus|vp8|h264|rtx)$/i;
/** Where frames are sealed: of H.264 the server would have to see more than a few bytes. */
const SEALED = /\/(opus|vp8|rtx)$/i;

/** @typedef {Record<"sound" | "camera" | "screen", MediaStreamTrack>} Received what arrives in one slot */

/** Says "state" when the connection has become another. */
export class MediaSession extends EventTarget {
  #location = "";
  #answer = "";
  #turn = Promise.resolve();

  /**
   * @param {RTCIceServer[]} ice only those the service named
   * @param {number} slots
   * @param {RTCIceTransportPolicy} [policy] "relay": nothing but the TURN servers
   * @param {import("./sealing.js").Sealing} [sealing] through which all goes in a visit that is encrypted end to end
   */
  constructor(ice, slots, policy = "all", sealing = undefined) {
    super();
    this.sealing = sealing;
    const servers = { iceServers: ice, iceTransportPolicy: policy, bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" };
    this.pc = new RTCPeerConnection({ ...servers, ...sealing?.configuration });
    this.senders = Object.fromEntries(SOURCES.map((source) => [source, this.#sending(source, ...SENT[source])]));
    /** @type {Received[]} */
    this.slots = Array.from({ length: slots }, (_, slot) => this.#slot(slot));
    this.pc.addEventListener("connectionstatechange", () => this.dispatchEvent(new Event("state")));
  }

  #add(kind, init) {
    const made = this.pc.addTransceiver(kind, init);
    const codecs = RTCRtpReceiver.getCapabilities?.(kind)?.codecs.filter(({ mimeType }) => (this.sealing ? SEALED : CODECS).test(mimeType));
    if (codecs?.length && made.setCodecPreferences) made.setCodecPreferences(codecs);
    return made;
  }

  #sending(source, kind, encoding) {
    const { sender } = this.#add(kind, { direction: "sendonly", sendEncodings: [encoding] });
    this.sealing?.send(sender, source);
    return sender;
  }

  #slot(slot) {
    return Object.fromEntries(PER_SLOT.map((part, place) => [part, this.#receiving(SOURCES[place], slot).track]));
  }

  #receiving(source, slot) {
    const { receiver } = this.#add(SENT[source][0], { direction: "recvonly" });
    this.sealing?.receive(receiver, source, slot);
    return receiver;
  }

  get state() {
    return this.pc.connectionState;
  }

  /** @param {Record<string, MediaStreamTrack | null>} tracks by source; throws Refused */
  async start(tracks) {
    await Promise.all(SOURCES.map((source) => this.senders[source].replaceTrack(tracks[source] ?? null)));
    await this.pc.setLocalDescription();
    const body = this.pc.localDescription.sdp;
    const answer = await ask("visit/media", { method: "POST", body, headers: { "Content-Type": SDP } });
    // The address is taken from its last part: what stands before may be another's behind a proxy.
    this.#location = `visit/media/${answer.headers.get("Location").split("?")[0].split("/").pop()}`;
    this.#answer = await answer.text();
    await this.pc.setRemoteDescription({ type: "answer", sdp: this.#answer });
  }

  /** New candidates under the same DTLS: no picture freezes (RFC 8840, RFC 9725 section 4.3.2). Throws Refused. */
  restart() {
    this.#turn = this.#turn.catch(() => undefined).then(() => this.#restart());
    return this.#turn;
  }

  async #restart() {
    await this.pc.setLocalDescription(await this.pc.createOffer({ iceRestart: true }));
    const body = fragment(this.pc.localDescription.sdp);
    try {
      const answer = await ask(this.#location, { method: "PATCH", body, headers: { "Content-Type": FRAGMENT } });
      this.#answer = merged(this.#answer, await answer.text());
      await this.pc.setRemoteDescription({ type: "answer", sdp: this.#answer });
    } catch (refused) {
      await this.pc.setLocalDescription({ type: "rollback" }).catch(() => undefined);
      throw refused;
    }
  }

  /** @param {string} source @param {MediaStreamTrack | null} track */
  replace(source, track) {
    return this.senders[source].replaceTrack(track).catch(() => undefined);
  }

  /** Ends here; the service is told when somebody leaves of their own will. @param {boolean} [told] */
  close(told = false) {
    this.pc.close();
    if (told && this.#location) ask(this.#location, { method: "DELETE", keepalive: true }).catch(() => undefined);
  }
}

const lineOf = (sdp, name) => sdp.match(new RegExp(`^a=${name}:.*$`, "m"))?.[0].trim() ?? "";

/** @param {string} sdp of an offer @returns {string} its part that an ICE restart changes */
export function fragment(sdp) {
  const media = sdp.match(/^m=.*$/m)?.[0].trim() ?? "";
  const lines = [lineOf(sdp, "ice-ufrag"), lineOf(sdp, "ice-pwd"), media, lineOf(sdp, "mid")];
  return `${lines.filter(Boolean).join("\r\n")}\r\n`;
}

/** @param {string} answer of before @param {string} part fragment of the answer @returns {string} the answer as it is now */
export function merged(answer, part) {
  let whole = answer;
  for (const name of ["ice-ufrag", "ice-pwd"]) {
    const line = lineOf(part, name);
    if (line) whole = whole.replace(new RegExp(`^a=${name}:.*$`, "gm"), line);
  }
  return whole;
}
