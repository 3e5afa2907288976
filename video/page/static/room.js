/* What this page knows of the room: a table of events, each making one state out of another. */

/**
 * @typedef {object} Member
 * @property {string} member
 * @property {string} name
 * @property {string} role
 * @property {string} standing
 * @property {number} since
 * @property {boolean} here
 * @property {boolean} media
 * @property {boolean} held
 * @property {boolean} sharing
 * @property {string[]} off what they have turned off: "microphone", "camera"
 *
 * @typedef {object} State
 * @property {string} standing
 * @property {number} since
 * @property {boolean} clinician whether somebody is there who could admit
 * @property {string} held
 * @property {boolean} share
 * @property {Member[]} members
 * @property {{phase: string, since: number, started: number | null}} visit
 * @property {{slot: number, member: string}[]} slots
 * @property {Record<string, string>} quality
 * @property {{from: string, name: string, text?: string, at: number, id: string, file?: string, type?: string, size?: number}[]} chat
 * @property {boolean} draining
 * @property {{on: boolean, by: string, since: number | null, agreed: string[]}} recording by: who asks, "" for nobody
 * @property {string} over why the visit is over for this page, "" while it is not
 * @property {string} askedBy who asked to mute
 */

const NOTHING = {
  standing: "checking", since: 0, clinician: false, held: "", share: false, members: [], slots: [], quality: {},
  visit: { phase: "open", since: 0, started: null }, chat: [], draining: false, recording: { on: false, by: "", since: null, agreed: [] }, over: "", askedBy: "",
};

const SAID = new Set(["chat", "file"]);

const own = (state, { standing, since, clinician }) => ({ ...state, standing, since, clinician: Boolean(clinician) });
const out = (over) => (state, event) => ({ ...own(state, event), over });

/** @type {Record<string, (state: State, event: any) => State>} */
export const EVENTS = {
  state: (state, event) => picture(state, event),
  checking: own,
  waiting: (state, event) => ({ ...own(state, event), members: [], slots: [] }),
  admitted: own,
  denied: out("denied"),
  left: out("left"),
  members: (state, { members }) => ({ ...state, members }),
  visit: (state, { phase, since, started }) => ({ ...state, visit: { phase, since, started } }),
  slots: (state, { slots }) => ({ ...state, slots }),
  quality: (state, { of }) => ({ ...state, quality: of }),
  hold: (state, { held }) => ({ ...state, held }),
  "may-share": (state, { on }) => ({ ...state, share: on }),
  "mute-asked": (state, { by }) => ({ ...state, askedBy: by }),
  recording: (state, { on, by, since, agreed }) => ({ ...state, recording: { on, by, since, agreed } }),
  draining: (state) => ({ ...state, draining: true }),
  ended: (state, { reason }) => ({ ...state, over: reason || "ended" }),
  chat: (state, event) => added(state, said(state, event)),
  file: (state, event) => added(state, sent(event)),
};

/** Everything anew; what was said stays. */
function picture(state, event) {
  const { own: mine, ...rest } = event;
  const known = Object.fromEntries(Object.entries(rest).filter(([name]) => name in NOTHING));
  if (rest.files) known.chat = [...(rest.chat ?? []), ...rest.files.map(sent)].sort((one, other) => one.at - other.at);
  return own({ ...NOTHING, chat: state.chat, askedBy: state.askedBy, ...known }, mine);
}

/** The name is kept with the words: who said them may have left since. */
function said(state, { from, text, at, id }) {
  return { from, text, at, id, name: nameOf(state, from) };
}

const sent = ({ from, name, file, type, size, at, id }) => ({ from, name, file, type, size, at, id });

/** What is known already, of before the page was loaded again, is not said twice. */
function added(state, message) {
  const known = state.chat.some(({ from, id }) => from === message.from && id === message.id);
  return known ? state : { ...state, chat: [...state.chat, message] };
}

/** @param {State} state @param {string} id @returns {string} */
export const nameOf = (state, id) => state.members.find(({ member }) => member === id)?.name ?? "";

/** Says "change" with detail {state, before, event}; event "" for the first. */
export class Room extends EventTarget {
  /** @param {import("./join.js").Seat} seat */
  constructor(seat) {
    super();
    this.me = seat.member;
    this.clinician = seat.role === "practitioner";
    this.shown = seat.events;
    /** @type {State} */
    this.state = picture(NOTHING, seat.state);
  }

  /** Events of before the page was loaded again bring back what was said, and nothing else. */
  apply(event) {
    const past = event.n <= this.shown && event.event !== "state";
    if (this.state.over || (past && !SAID.has(event.event))) return;
    const before = this.state;
    const made = EVENTS[event.event];
    if (!made) return;
    this.state = made(before, event);
    this.#tell(before, past ? { event: "past" } : event);
  }

  #tell(before, event) {
    this.dispatchEvent(new CustomEvent("change", { detail: { state: this.state, before, event } }));
  }

  /** This page is over, whatever the room does. @param {string} why */
  leave(why) {
    const before = this.state;
    if (before.over) return;
    this.state = { ...before, over: why };
    this.#tell(before, { event: why });
  }

  /** The question to mute was answered. */
  answered() {
    this.state = { ...this.state, askedBy: "" };
  }

  /** @returns {Member[]} those in the visit beside this page's own member */
  others() {
    return this.state.members.filter(({ member, standing }) => member !== this.me && standing === "admitted");
  }

  /** @returns {Member[]} those in front of the door */
  atTheDoor() {
    return this.state.members.filter(({ standing }) => standing === "waiting");
  }
}
