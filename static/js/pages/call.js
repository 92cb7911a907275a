// One call, live or past. A live page turns into the past one without a reload; a past one needs no socket.

import "../elements/cc-connection.js";
import "../elements/cc-meter.js";
import "../elements/cc-strip.js";
import "../elements/cc-timer.js";
import "../elements/cc-transcript.js";
import * as clock from "../clock.js";
import { all, data, one } from "../dom.js";
import { LiveSocket } from "../live-socket.js";
import { State } from "../state.js";
import { Finder } from "./call-find.js";
import { Head } from "./call-head.js";
import { Levels } from "./call-levels.js";
import { Side } from "./call-side.js";
import { Streams } from "./call-streams.js";
import { Words } from "./call-words.js";

const snapshot = data("snapshot");
const id = snapshot.call.call;
const state = new State();
const words = new Words(state, id);
const parts = [new Head(state, id), words, new Streams(state, id), new Side(state, id)];
const levels = new Levels(state, id);
let frame = null;
let socket = null;

const isLive = () => state.calls.get(id)?.state !== "ended";

function draw() {
  frame = null;
  if (!state.calls.has(id)) return;
  for (const element of all("[data-only-live]")) element.hidden = !isLive();
  for (const part of parts) part.draw();
}

state.watch(() => {
  frame ??= requestAnimationFrame(draw);
});
clock.learn(snapshot.at);
state.load(snapshot);
draw();
new Finder(one("cc-transcript"));

if (isLive()) {
  const streaming = () => isLive() && state.openOf(id).some((stream) => !stream.paused);
  socket = new LiveSocket(`/ws/calls/${id}/`, snapshot, streaming);
  socket.addEventListener("message", ({ detail }) => {
    state.apply(detail);
    if (detail.type === "levels") levels.hear(detail.levels);
  });
  clock.eachSecond(() => {
    levels.second();
    state.prune();
  });
  one("cc-connection").follow(socket);
  socket.open();
}
