/* Files in the chat: chosen, sent over HTTP under an id of their own, shown as a link that saves them. */
import { $, icon, make, put, show } from "./dom.js";
import { address, ask } from "./join.js";
import { has, text } from "./texts.js";

/** ms before another try under the same id, when nobody answered. */
const AGAIN = [1000, 3000, 6000];

/** @param {number} bytes @returns {string} */
export function size(bytes) {
  if (bytes < 1000) return text("file.bytes", { count: bytes });
  if (bytes < 1e6) return text("file.kilobytes", { count: Math.round(bytes / 1000) });
  return text("file.megabytes", { count: (bytes / 1e6).toFixed(1) });
}

/** @param {{id: string, file: string, type: string, size: number}} sent @returns {HTMLAnchorElement} */
export function link({ id, file, type, size: bytes }) {
  const what = has(`file.${type}`) ? text(`file.${type}`) : type;
  const about = make("span", { className: "soft small" }, `${what}, ${size(bytes)}`);
  const href = address(`visit/file/${encodeURIComponent(id)}`).href;
  return make("a", { className: "sent", href, download: file }, icon("file"), make("span", {}, file), about);
}

/** The button below the chat. */
export class FileSender {
  /** @param {number} largest bytes, 0 where nothing can be sent */
  constructor(largest) {
    this.largest = largest;
    show($("file"), largest > 0);
    $("file-choose").onclick = () => $("file-input").click();
    $("file-input").onchange = () => this.#chosen();
  }

  async #chosen() {
    const [file] = $("file-input").files;
    if (!file) return;
    $("file-choose").disabled = true;
    put($("file-state"), text("file.sending", { name: file.name }));
    const reason = await this.#send(file).catch((refused) => refused.message || text("file.network"));
    put($("file-state"), reason ? text("file.failed", { name: file.name, reason }) : text("file.sent", { name: file.name }));
    $("file-choose").disabled = false;
    $("file-input").value = "";
  }

  /** @returns {Promise<string>} why not, "" when it was; throws Refused */
  async #send(file) {
    if (file.size > this.largest) return text("file.large", { most: size(this.largest) });
    const query = new URLSearchParams({ name: file.name, id: crypto.randomUUID?.() ?? String(Math.random()).slice(2) });
    const options = { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" } };
    for (let tries = 0; ; tries++) {
      try {
        await ask(`visit/file?${query}`, options);
        return "";
      } catch (refused) {
        if (refused.code !== "network" || tries === AGAIN.length) throw refused;
        await new Promise((done) => window.setTimeout(done, AGAIN[tries]));
      }
    }
  }
}
