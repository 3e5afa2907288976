/* The secret out of the address, before anything else: it stays in no history, no bookmark, no picture of the screen. */

const given = new URLSearchParams(location.hash.slice(1));
const kind = given.has("invitation") ? "invitation" : "ticket";

/** @type {{kind: "ticket" | "invitation", secret: string}} secret "" when the page was opened without one */
export const link = { kind, secret: given.get(kind) ?? "" };

if (location.hash) history.replaceState(null, "", location.pathname + location.search);
