/* Keeps the screen of a phone on while somebody waits or talks (W3C Screen Wake Lock). */

let wanted = false;

async function lock() {
  if (!wanted || document.visibilityState !== "visible") return;
  await navigator.wakeLock?.request("screen").catch(() => undefined);
}

document.addEventListener("visibilitychange", lock);

/** From now on. */
export function stayAwake() {
  if (wanted) return;
  wanted = true;
  lock();
}
