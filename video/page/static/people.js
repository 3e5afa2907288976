/* Who is in the visit and who waits; for clinicians with everything that they may do about it. */
import { say } from "./announce.js";
import { question } from "./dialogs.js";
import { $, make, put, show } from "./dom.js";
import { minutes, text } from "./texts.js";

/** What a clinician may do: word, whether it applies, and what is asked first. */
const DEEDS = [
  { key: "mute", what: "ask-mute", when: ({ held }) => !held, said: "said.asked" },
  { key: "hold", what: "hold", when: ({ held }) => !held },
  { key: "unhold", what: "unhold", when: ({ held }) => held },
  { key: "unshare", what: "unshare", when: ({ sharing }) => sharing },
  { key: "remove", what: "deny", when: ({ role }) => role !== "practitioner", first: "remove", bad: true },
];
const AT_THE_DOOR = [
  { key: "admit", what: "admit", when: ({ standing }) => standing === "waiting", main: true },
  { key: "deny", what: "deny", when: () => true, first: "deny", bad: true },
];

/** The panel "people", and the note at the door. */
export class People {
  #drawn = "";

  /** @param {import("./room.js").Room} room @param {import("./socket.js").RoomSocket} socket */
  constructor(room, socket) {
    Object.assign(this, { room, socket });
    window.setInterval(() => this.draw(), 15000);
  }

  draw() {
    const { members } = this.room.state;
    const now = Math.floor(Date.now() / 60000);
    const drawn = JSON.stringify([members, now]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    keepingFocus($("people"), () => this.#draw(members));
    this.#door();
  }

  #draw(members) {
    const inside = members.filter(({ standing }) => standing === "admitted");
    const outside = members.filter(({ standing }) => standing !== "admitted");
    $("people-in").replaceChildren(...inside.map((member) => this.#row(member, member.member === this.room.me ? [] : DEEDS)));
    $("people-waiting").replaceChildren(...outside.map((member) => this.#row(member, AT_THE_DOOR)));
    show($("people-outside"), this.room.clinician);
    show($("people-nobody"), outside.length === 0);
  }

  #row(member, deeds) {
    const own = member.member === this.room.me;
    const name = make("strong", {}, own ? text("people.you", { name: member.name }) : member.name);
    const about = make("span", { className: "soft" }, [text(`role.${member.role}`), ...state(member)].join(" · "));
    const possible = this.room.clinician ? deeds.filter(({ when }) => when(member)) : [];
    const buttons = possible.map((deed) => this.#button(deed, member));
    return make("li", {}, make("div", { className: "tight" }, name, about), make("div", { className: "deeds" }, ...buttons));
  }

  #button(deed, member) {
    const { name } = member;
    const made = make("button", { type: "button", className: deed.main ? "main" : deed.bad ? "bad" : "" }, text(`people.${deed.key}`));
    made.setAttribute("aria-label", text(`people.${deed.key}.who`, { name }));
    made.dataset.key = `${deed.key} ${member.member}`;
    made.onclick = () => (deed.first ? this.#ask(deed, member) : this.#do(deed, member));
    return made;
  }

  #ask(deed, member) {
    const label = text(`people.${deed.key}`);
    const way = { label, bad: true, go: () => this.#do(deed, member) };
    question(text(`${deed.first}.heading`, { name: member.name }), text(`${deed.first}.text`), [way]);
  }

  async #do({ what, said }, { member, name }) {
    try {
      await this.socket.command(what, { member });
      if (said) say(text(said, { name }));
    } catch (refused) {
      say(refused.message, true);
    }
  }

  /** The first in front of the door, where nobody can overlook it. */
  #door() {
    const [first] = this.room.atTheDoor();
    show($("door"), Boolean(first) && this.room.clinician);
    if (!first) return;
    const waited = Date.now() - first.since;
    const words = waited < 60000 ? text("people.door.new", first) : text("people.door", { name: first.name, time: minutes(waited) });
    put($("door-text"), words);
    const button = $("door-admit");
    button.setAttribute("aria-label", text("people.admit.who", first));
    button.onclick = () => this.#do(AT_THE_DOOR[0], first);
  }
}

function state({ standing, since, here, held, sharing, off }) {
  if (standing === "waiting") return [text("people.waits", { time: minutes(Date.now() - since) })];
  if (standing === "checking") return [text("people.checks")];
  const turned = off.map((source) => text(`people.off.${source}`));
  return [!here && text("people.away"), held && text("people.held"), sharing && text("people.sharing"), ...turned].filter(Boolean);
}

/** What is drawn anew under somebody's keyboard leaves the focus where it was. */
function keepingFocus(panel, draw) {
  const active = panel.contains(document.activeElement) ? document.activeElement : null;
  const key = active?.dataset.key;
  draw();
  if (!active || active.isConnected) return;
  const same = key && [...panel.querySelectorAll("button")].find((button) => button.dataset.key === key);
  (same ?? $("people-heading")).focus();
}
