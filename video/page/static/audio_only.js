/* The camera is paused where the line carries no picture, so that the sound goes on. Pure: the clock is passed in. */

/** bit/s below which no picture is worth having; share of loss and ms of round trip that say the same. */
const BITRATE = 100000;
const LOSS = 0.2;
const TRIP = 1500;
/** ms for which it must be so; estimates of a line that has just begun say little. */
const HELD = 3000;
const BEGINNING = 6000;
/** ms until the camera is tried again, twice as long each time in vain. */
const FIRST = 20000;
const LONGEST = 160000;
/** ms after a try within which a failure counts as in vain. */
const IN_VAIN = 15000;

export class AudioOnly {
  #lowSince = 0;
  #beganAt = 0;
  #pausedAt = 0;
  #wait = FIRST;
  paused = false;

  /** @param {number} now ms: the camera has begun to send */
  begin(now) {
    this.#beganAt = now;
    this.#lowSince = 0;
  }

  /**
   * @param {import("./quality.js").Sample} sample
   * @param {boolean} sending whether the camera sends, or would if it were not paused
   * @returns {boolean} whether the camera is to be paused
   */
  look(sample, sending) {
    const now = sample.at;
    if (!sending) this.#lowSince = 0;
    else if (this.paused) this.#tryAgain(sample, now);
    else this.#watch(sample, now);
    return this.paused;
  }

  #watch(sample, now) {
    if (!low(sample) || now - this.#beganAt < BEGINNING) {
      this.#lowSince = 0;
      return;
    }
    this.#lowSince ||= now;
    if (now - this.#lowSince < HELD) return;
    const inVain = this.#pausedAt && now - this.#beganAt < IN_VAIN;
    this.#wait = inVain ? Math.min(this.#wait * 2, LONGEST) : FIRST;
    this.paused = true;
    this.#pausedAt = now;
  }

  #tryAgain(sample, now) {
    if (now - this.#pausedAt < this.#wait || sample.lostUp >= LOSS || sample.roundTrip >= TRIP) return;
    this.tryNow(now);
  }

  /** Somebody wants to see for themselves. @param {number} now ms */
  tryNow(now) {
    this.paused = false;
    this.begin(now);
  }
}

function low({ available, lostUp, roundTrip }) {
  return (available !== undefined && available < BITRATE) || lostUp >= LOSS || roundTrip >= TRIP;
}
