// The wall: cards, one row for each live call, alerts, agents and who waits. Only what changed is drawn.

import "../elements/cc-connection.js";
import "../elements/cc-meter.js";
import "../elements/cc-timer.js";
import * as clock from "../clock.js";
import { data, one } from "../dom.js";
import { moveFocus, onKey } from "../keys.js";
import { LiveSocket } from "../live-socket.js";
import { State } from "../state.js";
import { Alerts } from "./wall-alerts.js";
import { Bar } from "./wall-bar.js";
import { Cards, Poll } from "./wall-cards.js";
import { Empty } from "./wall-empty.js";
import { Figures } from "./wall-figures.js";
import { Filter, go } from "./wall-filter.js";
import { Pause } from "./wall-pause.js";
import { Agents, Waits } from "./wall-people.js";
import { Rows } from "./wall-rows.js";

const MOVES = new Set(["call", "alert", null]); // what may change the order of the rows
const HINT_MS = 10_000; // how to get away from a screen that has nothing to press
const PASSING = new Set(["partial", "utterance", "health", "stream", "gap", "command"]); // what changes a row alone

const bare = document.body.classList.contains("is-wall");
const snapshot = data("snapshot");
const state = new State({ keepLines: 1 });
clock.learn(snapshot.at);
state.load(snapshot);

const filter = new Filter(state);
const figures = new Figures(state, filter);
const cards = new Cards(figures);
const empty = new Empty(state, filter);
const rows = new Rows(state, filter, { bare, emptied: (shown) => empty.show(shown) });
const alerts = new Alerts(state, filter, { bare });
const agents = new Agents(state, filter, { bare });
const waits = new Waits(state, filter, { bare });
const pause = new Pause(() => drawAll());
const bar = new Bar(filter, () => {
  alerts.look();
  alerts.draw(true);
  drawAll();
});
const poll = new Poll(figures, () => soon(undefined, "figures"));
const changed = new Set(); // calls, null for all
const nouns = new Set();
let frame = null;

function draw() {
  frame = null;
  if (nouns.has("alert") || changed.has(null)) alerts.draw();
  if (pause.on) return;
  rows.draw(changed, [...nouns].some((noun) => MOVES.has(noun)));
  if (nouns.has("agent") || changed.has(null)) agents.draw();
  if (nouns.has("waiting") || nouns.has("call") || changed.has(null)) waits.draw();
  if ([...nouns].some((noun) => !PASSING.has(noun))) cards.draw();
  changed.clear();
  nouns.clear();
}

/** Draw with the next frame: a call (null: all) and which noun of it changed. */
function soon(call, noun) {
  changed.add(call);
  nouns.add(noun);
  frame ??= requestAnimationFrame(draw);
}

function drawAll() {
  soon(null, null);
}

state.watch((call, noun) => {
  if (noun === null) bar.renew();
  if (noun === null || noun === "alert") alerts.look();
  soon(call, noun);
});
drawAll();

/** What still becomes known of a call that left the wall does not bring it back. */
function isLongOver(message) {
  return message.type === "call" && message.state === "ended" && !state.calls.has(message.call);
}

const socket = new LiveSocket("/ws/live/", snapshot, () => rows.streaming);
socket.addEventListener("message", ({ detail }) => {
  if (isLongOver(detail)) return;
  state.apply(detail);
  if (detail.type === "levels") rows.levels(detail.levels, !pause.on);
  if (detail.type === "waiting" && detail.left_at) poll.ended();
});
clock.eachSecond(() => {
  pause.look();
  state.prune();
  alerts.draw();
  if (pause.on) return;
  rows.second();
  waits.draw();
  cards.draw();
});
state.follow(socket);
one("cc-connection").follow(socket);
socket.open();

if (bare) {
  setTimeout(() => one("[data-wall-hint]").remove(), HINT_MS);
  onKey("Escape", () => {
    go({ wall: null });
    location.reload();
  });
} else {
  onKey("j", () => moveFocus("[data-calls] [data-open]", 1));
  onKey("k", () => moveFocus("[data-calls] [data-open]", -1));
  onKey("l", () => rows.focused()?.listen());
  onKey("a", () => alerts.newest());
  onKey("p", () => pause.toggle());
}
