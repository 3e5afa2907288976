/* How loud the microphone is, for people to see that it works. */

/** Above this the microphone hears something: about -46 dB. */
const HEARD = 0.005;

export class Meter {
  #context = null;
  #source = null;
  #track = null;
  #timer = 0;

  /** @param {(level: number, heard: boolean) => void} shown is told about ten times a second; level from 0 to 1 */
  constructor(shown) {
    this.shown = shown;
  }

  /** @param {MediaStreamTrack | null} track */
  listen(track) {
    if (track === this.#track) return;
    this.stop();
    if (!track) return;
    this.#track = track;
    this.#context = new AudioContext();
    const analyser = this.#context.createAnalyser();
    this.#source = this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(analyser);
    const wave = new Float32Array(analyser.fftSize);
    this.#timer = window.setInterval(() => this.#look(analyser, wave), 100);
  }

  #look(analyser, wave) {
    analyser.getFloatTimeDomainData(wave);
    const power = Math.sqrt(wave.reduce((sum, value) => sum + value * value, 0) / wave.length);
    const decibels = 20 * Math.log10(Math.max(power, 1e-5));
    this.shown(Math.min(1, Math.max(0, (decibels + 60) / 50)), power > HEARD);
  }

  stop() {
    window.clearInterval(this.#timer);
    this.#source?.disconnect();
    this.#context?.close();
    this.#track = this.#context = this.#source = null;
  }
}

/**
 * Two soft notes to try the loudspeaker with.
 * @param {string} sink id of the loudspeaker, "" for the usual one
 */
export async function chime(sink) {
  const context = new AudioContext();
  if (sink && context.setSinkId) await context.setSinkId(sink).catch(() => undefined);
  const notes = [523.25, 659.25];
  notes.forEach((pitch, place) => note(context, pitch, context.currentTime + place * 0.35));
  window.setTimeout(() => context.close(), 1500);
}

function note(context, pitch, at) {
  const tone = new OscillatorNode(context, { frequency: pitch });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.setTargetAtTime(0.25, at, 0.02);
  volume.gain.setTargetAtTime(0, at + 0.25, 0.12);
  tone.connect(volume).connect(context.destination);
  tone.start(at);
  tone.stop(at + 0.9);
}
