/* Sharing the screen: the browser is asked first, because it wants the click; then the room; then it is sent. */
import { say } from "./announce.js";
import { text } from "./texts.js";

/** Whether this browser can at all; phones mostly cannot. */
export const canShare = Boolean(navigator.mediaDevices?.getDisplayMedia);

/** Says "change". */
export class Share extends EventTarget {
  /** @type {MediaStreamTrack | null} */
  track = null;

  /** @param {import("./socket.js").RoomSocket} socket @param {import("./link.js").Link} link */
  constructor(socket, link) {
    super();
    this.socket = socket;
    this.link = link;
  }

  async start() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false });
    } catch (error) {
      if (error.name !== "NotAllowedError") say(text("share.failed"), true);
      return;
    }
    await this.#send(stream.getVideoTracks()[0]);
  }

  async #send(track) {
    try {
      await this.socket.command("share");
    } catch (refused) {
      track.stop();
      say(text("share.refused", { reason: refused.message }), true);
      return;
    }
    track.contentHint = "detail";
    track.addEventListener("ended", () => this.stop());
    this.#set(track);
  }

  /** @param {boolean} [told] false where the room has ended it */
  stop(told = true) {
    if (!this.track) return;
    this.track.stop();
    this.#set(null);
    if (told) this.socket.command("unshare").catch(() => undefined);
  }

  #set(track) {
    this.track = track;
    this.link.send("screen", track);
    this.dispatchEvent(new Event("change"));
  }
}
