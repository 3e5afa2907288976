/* Frames sealed and opened: AES-GCM; the few bytes that forwarding reads stay in the clear, and are bound in. */

/** What a frame is of: bound in, so that nobody passes one off as the other. */
export const SOURCES = ["microphone", "camera", "screen"];
/** Bytes in the clear: Opus TOC (RFC 6716 section 3.1); frame tag and key frame header of VP8 (RFC 6386 section 9.1). */
const OPUS = 1;
const VP8_KEY = 10;
const VP8_DELTA = 3;
/** Behind the sealed bytes: number of the frame, then id of the key. */
const NUMBER = 8;
const TAIL = NUMBER + 1;
const TAG = 16;
/** Frames that may still come after a later one. */
const WINDOW = 1024;

const isSound = (source) => source === SOURCES[0];

/** @param {Uint8Array} frame @param {string} source @returns {number} */
export function clearBytes(frame, source) {
  if (isSound(source)) return Math.min(OPUS, frame.length);
  return Math.min(frame[0] & 1 ? VP8_DELTA : VP8_KEY, frame.length);
}

function bound(head, source) {
  const made = new Uint8Array(head.length + 1);
  made[0] = SOURCES.indexOf(source);
  made.set(head, 1);
  return made;
}

/** Another one for each frame under a key: no key ever sees a number twice. */
function vector(number) {
  const made = new Uint8Array(12);
  new DataView(made.buffer).setBigUint64(4, number);
  return made;
}

const algorithm = (number, head, source) => ({ name: "AES-GCM", iv: vector(number), additionalData: bound(head, source), tagLength: 128 });

/**
 * @param {ArrayBuffer} data a frame
 * @param {string} source of SOURCES
 * @param {{id: number, key: CryptoKey}} own
 * @param {bigint} number never used with this key before
 * @returns {Promise<ArrayBuffer>}
 */
export async function seal(data, source, own, number) {
  const frame = new Uint8Array(data);
  const head = frame.slice(0, clearBytes(frame, source));
  const body = new Uint8Array(await crypto.subtle.encrypt(algorithm(number, head, source), own.key, frame.subarray(head.length)));
  const sealed = new Uint8Array(head.length + body.length + TAIL);
  sealed.set(head);
  sealed.set(body, head.length);
  new DataView(sealed.buffer).setBigUint64(head.length + body.length, number);
  sealed[sealed.length - 1] = own.id;
  return sealed.buffer;
}

/** Frames of one source under one key: what came once does not come again. */
export class Seen {
  #last = -1n;
  #some = new Set();

  /** @param {bigint} number @returns {boolean} false for one that was there, or that is too old to say */
  take(number) {
    if (number <= this.#last - BigInt(WINDOW) || this.#some.has(number)) return false;
    this.#some.add(number);
    if (number > this.#last) this.#last = number;
    if (this.#some.size > 2 * WINDOW) for (const old of this.#some) if (old <= this.#last - BigInt(WINDOW)) this.#some.delete(old);
    return true;
  }
}

/** @param {ArrayBuffer} data @returns {number} id of the key that it was sealed with, -1 for what is too short */
export const keyOf = (data) => (data.byteLength > TAIL + TAG ? new Uint8Array(data)[data.byteLength - 1] : -1);

/**
 * @param {ArrayBuffer} data
 * @param {string} source
 * @param {{key: CryptoKey, seen: Seen}} theirs the key that keyOf names, and what came under it of this source
 * @returns {Promise<ArrayBuffer | null>} null for what the key does not open or what was there before
 */
export async function open(data, source, theirs) {
  const whole = new Uint8Array(data);
  const head = whole.slice(0, clearBytes(whole, source));
  const end = whole.length - TAIL;
  const number = new DataView(data, end).getBigUint64(0);
  let body;
  try {
    body = new Uint8Array(await crypto.subtle.decrypt(algorithm(number, head, source), theirs.key, whole.subarray(head.length, end)));
  } catch {
    return null;
  }
  if (!theirs.seen.take(number)) return null;
  const frame = new Uint8Array(head.length + body.length);
  frame.set(head);
  frame.set(body, head.length);
  return frame.buffer;
}
