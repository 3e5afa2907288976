/* What a screen reader says of what happens: politely, or at once where it cannot wait. */
import { $ } from "./dom.js";
import { nameOf } from "./room.js";
import { text } from "./texts.js";

const KEPT = 6000;

/** @param {string} said @param {boolean} [urgent] */
export function say(said, urgent = false) {
  const line = document.createElement("p");
  line.textContent = said;
  $(urgent ? "said-now" : "said").append(line);
  // A line that is said is gone soon, so that nobody reads on into what is no longer so.
  window.setTimeout(() => line.remove(), KEPT);
}

/** @param {import("./room.js").Room} room says who came and went, shares and recordings */
export function announce(room) {
  room.addEventListener("change", ({ detail: { state, before, event } }) => {
    if (event.event === "past") return;
    if (state.standing === "admitted" && before.standing === "waiting") say(text("said.admitted"), true);
    if (event.event === "members") comings(room, before, state);
    if (event.event === "share" && event.member !== room.me) shared(state, event);
    if (state.recording.on !== before.recording.on) say(text(state.recording.on ? "recording.on" : "recording.off"), true);
    if (state.draining && !before.draining) say(text("draining.banner"));
  });
}

function shared(state, { member, on }) {
  say(text(on ? "said.share.on" : "said.share.off", { name: nameOf(state, member) }));
}

function comings(room, before, state) {
  if (!before.members.length) return;
  const [was, is] = [standings(before), standings(state)];
  for (const { member, name, standing } of state.members) {
    if (member === room.me || was.get(member) === standing) continue;
    if (standing === "admitted") say(text("said.joined", { name }));
    if (standing === "waiting") say(text("said.waiting", { name }));
  }
  for (const { member, name, standing } of before.members) {
    if (member !== room.me && standing === "admitted" && !is.has(member)) say(text("said.left", { name }));
  }
}

const standings = (state) => new Map(state.members.map(({ member, standing }) => [member, standing]));
