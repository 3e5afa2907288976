/* Where the page begins: a ticket, a seat for it, and the visit. */
import { enter } from "./join.js";
import { canSeal } from "./sealing.js";
import { text } from "./texts.js";
import { link } from "./ticket.js";
import { halt } from "./views.js";
import { Visit } from "./visit.js";

const again = { label: text("problem.again"), go: () => location.reload() };

function refused({ code, status, message }) {
  const heading = text("problem.heading");
  if (code === "network") {
    // Not reached, so not used: the same link may be tried again.
    return halt("problem", heading, text("problem.network"), { ...again, go: begin });
  }
  if (code === "session" || code === "which") return halt("problem", heading, text("problem.nolink"));
  if (code === "ended") return halt("over", text("over.ended.heading"), message);
  return halt("problem", heading, message || text("problem.network"), status >= 429 ? again : undefined);
}

async function begin() {
  if (!("RTCPeerConnection" in window) || !("addTransceiver" in RTCPeerConnection.prototype)) {
    halt("problem", text("problem.heading"), text("problem.browser"));
    return;
  }
  try {
    const { seat, fresh } = await enter(link);
    if (seat.encrypted && !canSeal) return halt("problem", text("problem.heading"), text("sealed.unsupported"));
    return new Visit(seat, fresh).step();
  } catch (error) {
    if (!error.code) throw error;
    return refused(error);
  }
}

window.addEventListener("hashchange", () => location.reload());
begin();
