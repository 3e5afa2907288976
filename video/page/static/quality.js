/* What the statistics of the browser say: is anything heard, how well, and of whom. Pure: reports in, figures out. */

/**
 * @typedef {object} Sample
 * @property {number} at ms
 * @property {number} heard grows with everything that arrives: media, reports, answers to consent checks
 * @property {number} packets of media that arrived
 * @property {number} gone packets of media that were lost on the way here
 * @property {number} lostUp share of ours that was lost, 0 to 1
 * @property {number} roundTrip ms
 * @property {number} jitter ms
 * @property {number | undefined} available bit/s that may be sent
 * @property {Record<string, number>} frames decoded, by track
 */

const READ = {
  "candidate-pair": (sample, stat, pair) => stat.id === pair && fromPair(sample, stat),
  "inbound-rtp": fromInbound,
  "remote-inbound-rtp": fromRemote,
};

/** @param {Map<string, any>} report of RTCPeerConnection.getStats @param {number} at ms @returns {Sample} */
export function sample(report, at) {
  const stats = [...report.values()];
  const nominated = stats.find(({ type, nominated: on, state }) => type === "candidate-pair" && on && state === "succeeded");
  const pair = stats.find(({ type }) => type === "transport")?.selectedCandidatePairId ?? nominated?.id;
  const made = { at, heard: 0, packets: 0, gone: 0, lostUp: 0, roundTrip: 0, jitter: 0, available: undefined, frames: {} };
  for (const stat of stats) READ[stat.type]?.(made, stat, pair);
  return made;
}

function fromPair(made, stat) {
  made.heard += (stat.bytesReceived ?? 0) + (stat.responsesReceived ?? 0);
  made.roundTrip = Math.max(made.roundTrip, (stat.currentRoundTripTime ?? 0) * 1000);
  made.available = stat.availableOutgoingBitrate;
}

function fromInbound(made, stat) {
  made.packets += stat.packetsReceived ?? 0;
  made.gone += stat.packetsLost ?? 0;
  if (stat.kind === "audio") made.jitter = Math.max(made.jitter, (stat.jitter ?? 0) * 1000);
  if (stat.trackIdentifier) made.frames[stat.trackIdentifier] = stat.framesDecoded ?? 0;
}

function fromRemote(made, stat) {
  made.lostUp = Math.max(made.lostUp, stat.fractionLost ?? 0);
  made.roundTrip = Math.max(made.roundTrip, (stat.roundTripTime ?? 0) * 1000);
}

/** Word, and from which loss, round trip (ms) and jitter (ms) on it is used: the bars of the service. */
const BARS = [
  ["poor", 0.08, 600, 120],
  ["fair", 0.03, 300, 60],
];

/**
 * @param {Sample} now
 * @param {Sample} before about a second earlier
 * @returns {"good" | "fair" | "poor"}
 */
export function judge(now, before) {
  const [arrived, gone] = [now.packets - before.packets, Math.max(0, now.gone - before.gone)];
  const lost = Math.max(now.lostUp, arrived + gone > 0 ? gone / (arrived + gone) : 0);
  const bar = BARS.find(([, loss, trip, jitter]) => lost >= loss || now.roundTrip >= trip || now.jitter >= jitter);
  return bar ? bar[0] : "good";
}

/** A word is used once it held for three looks, so that it does not flicker. */
export class Steady {
  #next = "";
  #count = 0;

  /** @param {string} word */
  constructor(word) {
    this.word = word;
  }

  /** @param {string} word @returns {string} the word to show */
  look(word) {
    this.#count = word === this.#next ? this.#count + 1 : 1;
    this.#next = word;
    if (this.#count >= 3) this.word = word;
    return this.word;
  }
}
