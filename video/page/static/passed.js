/* What the person in front of this tab has done already, so that a reload asks nothing twice. Names nobody. */

const KEPT = "hearth.passed";

/**
 * @param {import("./join.js").Seat} seat
 * @param {boolean} fresh whether all of it is to be done anew
 * @returns {{named: boolean, tested: boolean, first: number}} first: number of the first event of this tab
 */
export function passed(seat, fresh) {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  if (!fresh && kept.member === seat.member) return kept;
  return pass({ member: seat.member, named: seat.role === "practitioner", tested: false, first: seat.events });
}

/** @template T @param {T} done @returns {T} kept for the next load of this tab */
export function pass(done) {
  sessionStorage.setItem(KEPT, JSON.stringify(done));
  return done;
}
