// The wall: one row for each live call, in the order in which they began. Rows never jump.

import "../elements/cc-connection.js";
import "../elements/cc-meter.js";
import "../elements/cc-timer.js";
import * as clock from "../clock.js";
import { data, one } from "../dom.js";
import { moveFocus, onKey } from "../keys.js";
import { LiveSocket } from "../live-socket.js";
import { State } from "../state.js";
import { Cards } from "./wall-cards.js";
import { Pause } from "./wall-pause.js";
import { Rows } from "./wall-rows.js";

const snapshot = data("snapshot");
const state = new State({ keepLines: 1 });
clock.learn(snapshot.at);
state.load(snapshot);

const rows = new Rows(one("[data-calls]"), state);
const cards = new Cards(state);
const pause = new Pause(() => draw());
const changed = new Set();
let frame = null;

function draw() {
  frame = null;
  if (pause.on) return;
  rows.draw(changed);
  cards.draw();
  changed.clear();
}

function soon(call) {
  changed.add(call);
  frame ??= requestAnimationFrame(draw);
}

state.watch(soon);
soon(null);

/** What still becomes known of a call that left the wall does not bring it back. */
function isLongOver(message) {
  return message.type === "call" && message.state === "ended" && !state.calls.has(message.call);
}

const socket = new LiveSocket("/ws/live/", snapshot, () => rows.streaming);
socket.addEventListener("message", ({ detail }) => {
  if (isLongOver(detail)) return;
  state.apply(detail);
  if (detail.type === "levels") rows.levels(detail.levels, pause.on);
});
clock.eachSecond(() => {
  pause.look();
  state.prune();
  if (!pause.on) rows.second();
  soon(undefined);
});
one("cc-connection").follow(socket);
socket.open();

onKey("j", () => moveFocus("[data-rows] [data-open]", 1));
onKey("k", () => moveFocus("[data-rows] [data-open]", -1));
onKey("p", () => pause.toggle());
