/* How pages agree on keys that the server does not learn: ECDH on P-256, and a number that people can compare. */

/** Digits of the number that two people compare: one guess of a million for who sits in between. */
const DIGITS = 6;
/** ms in which a new key reaches the others before it is used. */
const SETTLE = 500;
/** ms in which those who come are gathered. */
const GATHER = 100;
const CURVE = { name: "ECDH", namedCurve: "P-256" };

const bytes = (text) => new TextEncoder().encode(text);
export const encoded = (raw) => btoa(String.fromCharCode(...new Uint8Array(raw)));
export const decoded = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

async function hash(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes(JSON.stringify(parts))));
}

/** What is told before the nonce itself is: it can not be chosen any more by then. */
export const commitment = async (pub, nonce) => encoded(await hash("hearth visit commitment", pub, nonce));

/**
 * The number of two people: of both public keys and of both nonces, none of which anybody could choose knowing the others.
 * @param {{pub: string, nonce: string}} one @param {{pub: string, nonce: string}} other
 */
export async function codeOf(one, other) {
  const sorted = [one, other].sort((a, b) => (a.pub < b.pub ? -1 : 1)).flatMap(({ pub, nonce }) => [pub, nonce]);
  const digest = await hash("hearth visit number", ...sorted);
  const number = new DataView(digest.buffer).getBigUint64(0) % 10n ** BigInt(DIGITS);
  return String(number).padStart(DIGITS, "0").replace(/(...)(...)/, "$1 $2");
}

/** The key that wraps what two pages send each other. */
async function wrapping(own, pub, info) {
  const other = await crypto.subtle.importKey("raw", decoded(pub), CURVE, false, []);
  const shared = await crypto.subtle.deriveBits({ name: "ECDH", public: other }, own, 256);
  const secret = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: bytes(info) };
  return crypto.subtle.deriveKey(how, secret, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

/**
 * Says "own" (detail {id, key}: seal with it from now on), "theirs" (detail {member, id, key}), "forget" (detail {member})
 * and "code" (detail {member, code, before}).
 *
 * For each other page: hello; both commit to a nonce; only who has the other's commitment tells the nonce. Then a server
 * that put its own keys in between has one guess at two numbers that are the same. Keys to seal with go wrapped.
 */
export class Agreement extends EventTarget {
  /** @type {Map<string, any>} what is between this page and that of a member */
  #pairs = new Map();
  #members = new Set();
  #turn = Promise.resolve();
  #own = { id: 0, raw: null };
  #timer = 0;
  #gathering = 0;

  /** @param {(member: string, text: string) => void} pass hands something to the page of a member */
  constructor(pass) {
    super();
    this.pass = pass;
    this.#next(() => this.#begin());
  }

  /** One after the other, in the order in which it came; what is broken stops nothing else. */
  #next(work) {
    this.#turn = this.#turn.then(work).catch(() => undefined);
    return this.#turn;
  }

  async #begin() {
    this.pair = await crypto.subtle.generateKey(CURVE, false, ["deriveBits"]);
    this.pub = encoded(await crypto.subtle.exportKey("raw", this.pair.publicKey));
    await this.#rotate();
  }

  /** @param {string} member @returns {string} the number to compare, "" as long as there is none */
  code(member) {
    return this.#pairs.get(member)?.code ?? "";
  }

  /** @param {string} member @returns {boolean} whether what they send can be opened */
  hears(member) {
    return Boolean(this.#pairs.get(member)?.heard);
  }

  /** @param {string[]} members the others in the visit */
  set(members) {
    return this.#next(async () => {
      const gone = [...this.#members].filter((member) => !members.includes(member));
      const come = members.filter((member) => !this.#members.has(member));
      this.#members = new Set(members);
      for (const member of gone) this.#forget(member);
      for (const member of come) this.#tell(member, { t: "hello" });
      if (gone.length) await this.#rotate();
    });
  }

  #forget(member) {
    this.#pairs.delete(member);
    this.#say("forget", { member });
  }

  /** Something may have been lost on the way. */
  again() {
    return this.#next(() => {
      for (const member of this.#members) if (!this.code(member) || !this.hears(member)) this.#tell(member, { t: "hello" });
    });
  }

  /** @param {string} member @param {string} text what the page of ``member`` passed */
  heard(member, text) {
    return this.#next(async () => {
      const said = JSON.parse(text);
      if (typeof said.pub !== "string" || !said.pub || said.pub === this.pub) return;
      if (said.t !== "hello" && said.to !== this.pub) return;
      this.#members.add(member);
      const known = this.#pairs.get(member)?.pub === said.pub;
      const pair = known ? this.#pairs.get(member) : await this.#meet(member, said.pub);
      if (said.t === "hello" && known) await this.#all(member, pair);
      else if (said.t === "commit") this.#committed(member, pair, said.commit);
      else if (said.t === "reveal") await this.#revealed(member, pair, said.nonce);
      else if (said.t === "key") await this.#key(member, pair, said);
    });
  }

  async #meet(member, pub) {
    const before = this.#pairs.get(member)?.code ?? "";
    const alone = this.#pairs.size === 0 || (this.#pairs.size === 1 && this.#pairs.has(member));
    const info = `hearth visit key ${[this.pub, pub].sort().join(" ")}`;
    const wrap = await wrapping(this.pair.privateKey, pub, info);
    const nonce = encoded(crypto.getRandomValues(new Uint8Array(16)));
    const pair = { pub, wrap, nonce, commit: "", theirs: "", code: "", before, heard: false };
    this.#pairs.set(member, pair);
    this.#say("forget", { member });
    await this.#commit(member, pair);
    if (alone) await this.#rotate(0);
    else this.#soon();
    return pair;
  }

  /** Several who come at once are one reason for another key. */
  #soon() {
    clearTimeout(this.#gathering);
    this.#gathering = setTimeout(() => this.#next(() => this.#rotate()), GATHER);
  }

  async #commit(member, pair) {
    this.#tell(member, { t: "commit", commit: await commitment(this.pub, pair.nonce) }, pair);
  }

  #reveal(member, pair) {
    this.#tell(member, { t: "reveal", nonce: pair.nonce }, pair);
  }

  /** The first one counts: a second could be made knowing our nonce. */
  #committed(member, pair, commit) {
    if (typeof commit !== "string" || !commit) return;
    pair.commit ||= commit;
    this.#reveal(member, pair);
  }

  async #revealed(member, pair, nonce) {
    if (!pair.commit || pair.theirs || (await commitment(pair.pub, nonce)) !== pair.commit) return;
    pair.theirs = nonce;
    pair.code = await codeOf({ pub: this.pub, nonce: pair.nonce }, { pub: pair.pub, nonce });
    this.#say("code", { member, code: pair.code, before: pair.before });
  }

  /** Everything that the other page may have missed. */
  async #all(member, pair) {
    await this.#commit(member, pair);
    if (pair.commit) this.#reveal(member, pair);
    await this.#give(member, pair);
  }

  /** Another key to seal with: who came cannot open what was before, who went not what comes. */
  async #rotate(wait = this.#pairs.size ? SETTLE : 0) {
    const raw = crypto.getRandomValues(new Uint8Array(32));
    const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
    this.#own = { id: (this.#own.id + 1) % 256, raw };
    const { id } = this.#own;
    for (const [member, pair] of this.#pairs) await this.#give(member, pair);
    clearTimeout(this.#timer);
    if (wait) this.#timer = setTimeout(() => this.#say("own", { id, key }), wait);
    else this.#say("own", { id, key });
  }

  async #give(member, pair) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const how = { name: "AES-GCM", iv, additionalData: bytes(`${this.pub} ${this.#own.id}`) };
    const sealed = encoded(await crypto.subtle.encrypt(how, pair.wrap, this.#own.raw));
    this.#tell(member, { t: "key", id: this.#own.id, iv: encoded(iv), sealed }, pair);
  }

  /** Only one that is newer: an old one would let old frames in again. */
  async #key(member, pair, { id, iv, sealed }) {
    const ahead = (id - (pair.last ?? id - 1) + 256) % 256;
    if (ahead < 1 || ahead > 128) return;
    const how = { name: "AES-GCM", iv: decoded(iv), additionalData: bytes(`${pair.pub} ${id}`) };
    const raw = await crypto.subtle.decrypt(how, pair.wrap, decoded(sealed));
    const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["decrypt"]);
    Object.assign(pair, { last: id, heard: true });
    this.#say("theirs", { member, id, key });
  }

  #tell(member, said, pair = undefined) {
    this.pass(member, JSON.stringify({ ...said, pub: this.pub, to: pair?.pub ?? "" }));
  }

  #say(what, detail) {
    this.dispatchEvent(new CustomEvent(what, { detail }));
  }
}
