/* The worker through which every frame goes in a visit that is encrypted end to end. Nothing leaves it unsealed. */
import { keyOf, open, seal, Seen, SOURCES } from "./cipher.js";

/** Keys of a member that are kept: frames under the one before may still be on their way. */
const KEPT = 3;

let own = null;
let count = 0n;
/** @type {Map<string, Map<number, {key: CryptoKey, seen: Record<string, Seen>}>>} by member and id of the key */
const theirs = new Map();
/** @type {string[]} who is in which slot */
let slots = [];

const DOES = {
  own({ id, key }) {
    own = { id, key };
    count = 0n;
  },
  theirs({ member, id, key }) {
    const kept = theirs.get(member) ?? new Map();
    kept.delete(id);
    kept.set(id, { key, seen: Object.fromEntries(SOURCES.map((source) => [source, new Seen()])) });
    for (const old of [...kept.keys()].slice(0, -KEPT)) kept.delete(old);
    theirs.set(member, kept);
  },
  forget: ({ member }) => theirs.delete(member),
  slots: ({ members }) => (slots = members),
  stream: ({ readable, writable, options }) => attach(readable, writable, options),
};

const EACH = {
  async send(frame, out, { source }) {
    if (!own || frame.data.byteLength === 0) return;
    frame.data = await seal(frame.data, source, own, count++);
    out.enqueue(frame);
  },
  /** Only by keys of the one whom the page shows in this slot. */
  async receive(frame, out, { source, slot }) {
    const found = theirs.get(slots[slot])?.get(keyOf(frame.data));
    const opened = found && (await open(frame.data, source, { key: found.key, seen: found.seen[source] }));
    if (!opened) return;
    frame.data = opened;
    out.enqueue(frame);
  },
};

function attach(readable, writable, options) {
  const transform = (frame, out) => EACH[options.way](frame, out, options);
  // A stream ends with its session; the next session brings another.
  readable.pipeThrough(new TransformStream({ transform })).pipeTo(writable).catch(() => undefined);
}

self.onmessage = ({ data }) => DOES[data.do](data);
self.onrtctransform = ({ transformer }) => attach(transformer.readable, transformer.writable, transformer.options);
