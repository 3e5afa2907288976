/* One visit from the seat to the end: which view when, and who is told of what. */
import { announce } from "./announce.js";
import { Banners } from "./banners.js";
import { Captions } from "./captions.js";
import { Chat } from "./chat.js";
import { Controls } from "./controls.js";
import { DeviceTest } from "./device_test.js";
import { Devices } from "./devices.js";
import { question } from "./dialogs.js";
import { $, put, show } from "./dom.js";
import { Link } from "./link.js";
import { chime } from "./meter.js";
import { pass, passed } from "./passed.js";
import { People } from "./people.js";
import { Recording } from "./recording.js";
import { Room } from "./room.js";
import { Sealing } from "./sealing.js";
import { Share } from "./share.js";
import { FileSender } from "./files.js";
import { drawOwn, Stage } from "./slots.js";
import { RoomSocket } from "./socket.js";
import { clock, has, text } from "./texts.js";
import { together } from "./together.js";
import { halt, view } from "./views.js";
import { Waiting } from "./waiting.js";
import { stayAwake } from "./wake.js";

const BACK = new Set(["left", "elsewhere"]);
/** ms */
const RINGS_AFTER = 500;

export class Visit {
  #soon = together(() => this.step());

  /** @param {import("./join.js").Seat} seat @param {boolean} fresh as of join.enter */
  constructor(seat, fresh) {
    this.seat = seat;
    this.passed = passed(seat, fresh);
    this.devices = new Devices();
    this.room = new Room(seat);
    this.socket = new RoomSocket(this.passed.first);
    this.link = new Link(seat, () => this.socket.renew());
    if (seat.encrypted) this.sealing = this.link.sealing = new Sealing(this.room, this.socket);
    this.share = new Share(this.socket, this.link);
    this.#views();
    this.#wire();
    announce(this.room);
    this.socket.open();
  }

  #views() {
    const { room, socket, devices } = this;
    this.test = new DeviceTest(devices, () => this.#tested());
    this.waiting = new Waiting();
    this.stage = new Stage(room, () => this.banners.silenced());
    this.banners = new Banners(this, () => this.stage.play());
    this.controls = new Controls(devices, this.share, { leave: () => this.#leave(), opened: (name) => this.#opened(name) });
    this.chat = new Chat(room, socket, this.seat.longest?.chat ?? 2000, () => this.controls.panel === "chat");
    this.files = new FileSender(this.seat.longest?.file ?? 0);
    this.captions = new Captions(room);
    this.people = new People(room, socket);
    this.recording = new Recording(room, socket, Boolean(this.seat.recording));
    if (this.seat.chart) this.#chart(this.seat.chart);
  }

  #wire() {
    const { devices, link, room, socket } = this;
    put($("name-heading"), text("name.heading", { name: this.seat.name }));
    $("name-yes").onclick = () => this.#named(true);
    $("name-voice").onclick = () => this.#named(false);
    $("name-no").onclick = () => this.#notMe();
    $("waiting-leave").onclick = () => this.#leave();
    devices.addEventListener("change", () => this.#devices());
    link.addEventListener("media", () => this.stage.media(link.session.slots));
    link.addEventListener("look", ({ detail }) => this.stage.look(detail.now.frames));
    link.addEventListener("paused", () => drawOwn(devices, link.paused));
    socket.addEventListener("event", ({ detail }) => this.#event(detail));
    socket.addEventListener("closed", ({ detail }) => room.leave(detail));
    room.addEventListener("change", ({ detail }) => this.#changed(detail));
    window.setInterval(() => this.#clock(), 1000);
  }

  /** A visit that becomes encrypted begins anew, before anybody is seen or heard. */
  #event(event) {
    if (event.event === "encrypted" && event.n > this.seat.events) window.location.reload();
    else this.room.apply(event);
  }

  #changed({ state, before, event }) {
    if (event.event === "state") this.link.check();
    if (before.share && !state.share) this.share.stop(false);
    if (event.event === "past") this.step(true);
    else this.#soon();
    // Opening the sound takes the browser a moment, which the first picture must not wait for.
    const rings = event.event !== "past" && this.#rings(state, before);
    if (rings) window.setTimeout(() => chime(this.devices.chosen.speaker), RINGS_AFTER);
  }

  /** Somebody let in, or somebody new at the door: who looks elsewhere hears it. */
  #rings(state, before) {
    const waiting = (members) => members.filter(({ standing }) => standing === "waiting").length;
    const admitted = state.standing === "admitted" && before.standing === "waiting";
    return admitted || (this.room.clinician && waiting(state.members) > waiting(before.members));
  }

  /** The view that fits where this member stands. @param {boolean} [past] */
  step(past = false) {
    const { state } = this.room;
    if (state.over) return this.#over(state.over);
    if (state.standing === "waiting") return this.#wait(state);
    if (state.standing === "admitted" && this.passed.tested) return this.#visit(past);
    if (!this.passed.named) return view("name");
    return this.#test();
  }

  #named(camera) {
    this.devices.wanted = { camera, microphone: true };
    this.#pass({ named: true });
    this.step();
  }

  #pass(done) {
    this.passed = pass({ ...this.passed, ...done });
  }

  #notMe() {
    this.socket.command("leave").catch(() => undefined);
    this.room.leave("notme");
  }

  #test() {
    view("devices");
    this.test.open(text(this.room.clinician ? "devices.go.enter" : "devices.go.wait"));
    if (!this.testing) this.devices.ask();
    this.testing = true;
  }

  async #tested() {
    this.#pass({ tested: true });
    if (this.room.state.standing === "checking") await this.socket.command("ready").catch(() => undefined);
    this.step();
  }

  /** The media is connected while somebody waits, so that the picture is there when the door opens. */
  #begin() {
    this.test.close();
    stayAwake();
    if (this.link.running) return;
    if (!this.testing) this.devices.ask();
    this.testing = true;
    this.#devices();
    this.link.start();
    this.#tellOff();
  }

  #wait(state) {
    this.#begin();
    this.waiting.draw(state);
    view("waiting");
  }

  #visit(past) {
    this.#begin();
    this.waiting.close();
    this.stage.draw();
    this.banners.draw();
    this.sealing?.draw();
    this.captions.draw();
    this.chat.draw(past);
    this.people.draw();
    this.recording.draw();
    this.controls.draw();
    this.#counts();
    view("visit");
  }

  #counts() {
    this.controls.counts(this.chat.unread, this.room.clinician ? this.room.atTheDoor().length : 0);
  }

  #opened(name) {
    if (name === "chat") this.chat.read();
    this.#counts();
  }

  #devices() {
    const { devices, link } = this;
    for (const kind of ["camera", "microphone"]) link.send(kind, devices.tracks[kind]);
    this.#tellOff();
    drawOwn(devices, link.paused);
    this.stage.speaker(devices.chosen.speaker);
  }

  /** The others read what is off instead of guessing why they hear nothing. */
  #tellOff() {
    const { tracks, muted } = this.devices;
    const off = [(!tracks.microphone || muted) && "microphone", !tracks.camera && "camera"].filter(Boolean).join(" ");
    if (off === this.toldOff || !this.link.running) return;
    this.toldOff = off;
    this.socket.command("off", { text: off }).catch(() => (this.toldOff = undefined));
  }

  #chart(address) {
    $("chart-frame").src = new URL(address, document.baseURI).href;
    show($("chart"), true);
    $("visit").classList.add("with-chart");
  }

  #clock() {
    const { started } = this.room.state.visit;
    put($("clock"), started ? clock(Date.now() - started) : "");
  }

  #leave() {
    const leave = { label: text("leave.leave"), go: () => this.#go("leave") };
    const end = { label: text("leave.end"), bad: true, go: () => this.#go("end") };
    const told = this.room.clinician ? "leave.end.text" : this.room.state.standing === "waiting" ? "leave.text.waiting" : "leave.text";
    question(text("leave.heading"), text(told), this.room.clinician ? [leave, end] : [leave], text("leave.stay"));
  }

  /** Who leaves is out at once, whatever the line says. */
  #go(what) {
    this.socket.command(what).catch(() => undefined);
    this.share.stop(false);
    window.setTimeout(() => this.room.leave(what === "end" ? "ended" : "left"), 1500);
  }

  #over(why) {
    this.link.stop();
    this.sealing?.stop();
    this.stage.clear();
    this.share.stop(false);
    this.waiting.close();
    this.test.close();
    this.devices.release();
    if (why !== "notme") this.socket.close();
    const known = has(`over.${why}`) ? why : "ended";
    const action = BACK.has(known) ? { label: text(`over.${known}.back`), go: () => location.reload() } : undefined;
    halt("over", text(`over.${known}.heading`), text(`over.${known}`), action);
  }
}
