// One call, live or past. A live page turns into the past one without a reload; a past one needs no socket.

import "../elements/cc-connection.js";
import "../elements/cc-meter.js";
import "../elements/cc-strip.js";
import "../elements/cc-timer.js";
import "../elements/cc-transcript.js";
import * as clock from "../clock.js";
import { all, data, one } from "../dom.js";
import { LiveSocket } from "../live-socket.js";
import { Acts } from "./call-acts.js";
import { Alerts } from "./call-alerts.js";
import { Bar } from "./call-bar.js";
import { Caller } from "./call-caller.js";
import { Finder } from "./call-find.js";
import { Fit } from "./call-fit.js";
import { Head } from "./call-head.js";
import { Levels } from "./call-levels.js";
import { Moments } from "./call-moments.js";
import { Notes } from "./call-notes.js";
import { Notice } from "./call-notice.js";
import { Shares } from "./call-shares.js";
import { Side } from "./call-side.js";
import { CallState } from "./call-state.js";
import { Streams } from "./call-streams.js";
import { Turns } from "./call-turns.js";
import { Words } from "./call-words.js";
import { phaseOf } from "./pieces.js";

const snapshot = data("snapshot");
const id = snapshot.call.call;
const state = new CallState();
const acts = new Acts(state, id);
const transcript = one("cc-transcript");
const streams = new Streams(state, id, acts);
const moments = new Moments(state, id, acts, (key) => transcript.goTo(key));
const levels = new Levels(state, id);
const parts = [
  levels,
  new Head(state, id, acts),
  new Words(state, id),
  streams,
  new Shares(state, id),
  new Turns(state, id),
  new Alerts(state, id, acts, (key) => transcript.goTo(key)),
  new Caller(state, id),
  new Notes(state, id, acts),
  moments,
  new Side(state, id),
];
let frame = null;

const isLive = () => state.calls.has(id) && state.calls.get(id).state !== "ended";
/** Its wrap-up, too, is told by the socket. */
const moves = () => isLive() || (state.calls.has(id) && phaseOf(state.calls.get(id)) === "wrapup");

function draw() {
  frame = null;
  if (!state.calls.has(id)) return;
  for (const element of all("[data-only-live]")) element.hidden = !isLive();
  if (!isLive()) for (const dialog of all("dialog[data-live][open]")) dialog.close("cancel");
  for (const part of parts) part.draw();
}

/** What acts on a live call. A phone, and what makes one of the page, comes only for who may intervene. */
async function bar() {
  const { may } = state.me;
  const acting = { streams, moments };
  if (may.listen) {
    const { Listen } = await import("./call-listen.js");
    acting.listen = new Listen(state, id);
  }
  if (may.intervene && one("#transfer")) {
    const [{ Supervise }, { Transfer }] = await Promise.all([import("./call-supervise.js"), import("./call-transfer.js")]);
    acting.supervise = new Supervise(state, id, acts);
    acting.transfer = new Transfer(state, id, acts);
  }
  const made = new Bar(state, id, acts, acting);
  parts.push(made, new Notice(state, id, acts, streams, made));
  draw();
}

function connect() {
  const streaming = () => isLive() && state.openOf(id).some((stream) => !stream.paused);
  const socket = new LiveSocket(`/ws/calls/${id}/`, snapshot, streaming);
  socket.addEventListener("message", ({ detail }) => {
    state.apply(detail);
    if (detail.type === "levels") levels.hear(detail.levels);
  });
  clock.eachSecond(() => {
    levels.second();
    state.prune();
  });
  state.follow(socket);
  one("cc-connection").follow(socket);
  socket.open();
}

state.watch(() => {
  frame ??= requestAnimationFrame(draw);
});
clock.learn(snapshot.at);
state.load(snapshot);
draw();
new Finder(transcript);
new Fit();
if (moves()) connect();
if (isLive()) bar();
