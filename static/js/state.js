// What the page knows: calls, streams, lines and all that belongs to them, each in its present state.
//
// Every message is a noun's whole state, so applying it twice or late does no harm. Nothing here touches the page.
// What a snapshot does not hold is not known: `knows("agents")` tells, so that nothing unknown is shown as none.

const NOUNS = {
  waiting: "waiting",
  agents: "agent",
  alerts: "alert",
  listenings: "listening",
  supervisions: "supervision",
  moments: "moment",
  notes: "note",
  turns: "turn",
};
const OF_A_CALL = ["gaps", "commands", "listenings", "supervisions", "turns"]; // nothing without their call
const LISTS = ["legs", "queues", "teams"];
const FACTS = ["site", "figures", "me", "history", "contact"];
const PARTIAL_MS = 8_000; // a partial line that nothing follows is no longer what is being said

export class State {
  /** `keepLines` is how many final lines of a call are kept; the wall needs the last one only. */
  constructor({ keepLines = Infinity } = {}) {
    this.keepLines = keepLines;
    this.calls = new Map();
    this.streams = new Map();
    this.lines = new Map(); // call → Map(utterance → line), in the order of the call
    this.partials = new Map(); // "stream/track" → line
    this.gaps = new Map();
    this.commands = new Map();
    for (const map of Object.keys(NOUNS)) this[map] = new Map();
    for (const list of LISTS) this[list] = [];
    this.health = new Map();
    this.levels = new Map(); // stream → {inbound, outbound}
    this.site = {};
    this.me = { may: {} };
    this.known = new Set();
    this.places = new Map(); // call → the call as it was last known, also after it has left the page
    this.cut = false; // the line to the server is down: what is only true now is not known
    this.listeners = new Set();
    this.orphans = new Set(); // keys of what belongs to no call that we know
    this.open = new Map(); // call → its open streams, found once after each change
    this.alerted = null; // call → its open alerts, found once after each change
  }

  /** Call `listener(call, noun)` with the id of each call that changed and what of it, or null for all. */
  watch(listener) {
    this.listeners.add(listener);
  }

  tell(call, noun = null) {
    for (const listener of this.listeners) listener(call, noun);
  }

  /** Know from a LiveSocket whether the line is down, and tell all when that changes. */
  follow(socket) {
    const look = () => {
      if (this.cut === socket.cut) return;
      this.cut = socket.cut;
      this.tell(null);
    };
    for (const event of ["state", "look"]) socket.addEventListener(event, look);
  }

  /** Whether the server tells of such rows at all: "waiting", "agents", "alerts", "figures", … */
  knows(name) {
    return this.known.has(name);
  }

  apply(message) {
    const handler = HANDLERS[message.type];
    if (handler) handler.call(this, message);
  }

  /** Put a whole snapshot in place of what was known; partial lines and levels of open streams stay. */
  load(snapshot) {
    this.open.clear();
    this.alerted = null;
    const fresh = new Set(snapshot.calls.map((call) => call.call));
    for (const id of this.calls.keys()) if (!fresh.has(id)) this.forget(id);
    for (const map of [this.gaps, this.commands]) map.clear();
    for (const id of fresh) this.dropStreams(id);
    for (const call of snapshot.calls) this.put(call);
    for (const stream of snapshot.streams) this.streams.set(stream.stream, stream);
    for (const gap of snapshot.gaps ?? []) this.gaps.set(gap.gap, gap);
    for (const command of snapshot.commands ?? []) this.commands.set(command.command, command);
    for (const line of snapshot.utterances ?? []) this.line(line);
    for (const [map, key] of Object.entries(NOUNS)) {
      this[map] = new Map((snapshot[map] ?? []).map((noun) => [noun[key], noun]));
    }
    for (const name of [...LISTS, ...FACTS]) this[name] = snapshot[name] ?? this[name];
    this.known = new Set(Object.keys(snapshot));
    this.tell(null);
  }

  put(call) {
    this.calls.set(call.call, call);
    this.places.set(call.call, call);
  }

  /** A call and what belongs to it is no longer shown; its alerts still are. */
  forget(id) {
    this.calls.delete(id);
    this.lines.delete(id);
    this.dropStreams(id);
    this.dropOf(id, OF_A_CALL);
  }

  /** A call went out of sight, with all that was known of it. */
  lose(id) {
    this.forget(id);
    this.places.delete(id);
    this.alerted = null;
    this.dropOf(id, ["waiting", "alerts", "moments", "notes"]);
  }

  dropOf(id, maps) {
    for (const map of maps) {
      for (const [key, noun] of this[map]) if (noun.call === id) this[map].delete(key);
    }
  }

  /** Each second: forget what still has no call, and partial lines that nothing follows. */
  prune() {
    const orphans = new Set();
    for (const map of ["streams", ...OF_A_CALL].map((name) => this[name])) {
      for (const [key, noun] of map) if (!this.calls.has(noun.call)) this.bury(map, key, orphans);
    }
    for (const call of this.lines.keys()) if (!this.calls.has(call)) this.bury(this.lines, call, orphans);
    this.orphans = orphans;
    this.prunePlaces();
    for (const [key, line] of this.partials) {
      if (Date.now() - line.heardAt < PARTIAL_MS) continue;
      this.partials.delete(key);
      this.tell(line.call, "partial");
    }
    for (const map of [this.levels, this.health]) {
      for (const sid of map.keys()) if (!this.streams.has(sid)) map.delete(sid);
    }
  }

  prunePlaces() {
    if (this.places.size === this.calls.size) return;
    const alerted = new Set([...this.alerts.values()].map((alert) => alert.call));
    for (const id of this.places.keys()) if (!this.calls.has(id) && !alerted.has(id)) this.places.delete(id);
  }

  /** Delete what was without its call a second ago too: the call may only come after what belongs to it. */
  bury(map, key, orphans) {
    if (this.orphans.has(key)) map.delete(key);
    else orphans.add(key);
    this.open.clear();
  }

  dropStreams(id) {
    this.open.delete(id);
    for (const stream of this.streamsOf(id)) {
      this.streams.delete(stream.stream);
      if (!this.calls.has(id)) this.dropPassing(stream.stream);
    }
  }

  dropPassing(sid) {
    this.levels.delete(sid);
    this.health.delete(sid);
    for (const track of ["inbound", "outbound"]) this.partials.delete(`${sid}/${track}`);
  }

  line(line) {
    const lines = this.lines.get(line.call) ?? new Map();
    this.lines.set(line.call, lines);
    const newest = [...lines.values()].at(-1);
    lines.set(line.utterance, line);
    if (newest && line.start_ms < newest.start_ms) this.sort(lines);
    while (lines.size > this.keepLines) lines.delete(lines.keys().next().value);
    const partial = this.partials.get(`${line.stream}/${line.track}`);
    if (partial && !isNewer(partial.utterance, line.utterance)) this.partials.delete(`${line.stream}/${line.track}`);
  }

  sort(lines) {
    const sorted = [...lines].sort(([, a], [, b]) => a.start_ms - b.start_ms);
    lines.clear();
    for (const [key, line] of sorted) lines.set(key, line);
  }

  partial(message) {
    const last = [...(this.lines.get(message.call)?.values() ?? [])]
      .filter((line) => line.stream === message.stream && line.track === message.track)
      .at(-1);
    if (last && !isNewer(message.utterance, last.utterance)) return;
    const track = `${message.stream}/${message.track}`;
    if (message.text) this.partials.set(track, { ...message, heardAt: Date.now() });
    else this.partials.delete(track); // nothing was said after all
  }

  streamsOf(call) {
    return [...this.streams.values()].filter((stream) => stream.call === call);
  }

  /** Open streams of a call, newest last. */
  openOf(call) {
    if (!this.open.has(call)) this.open.set(call, this.findOpen(call));
    return this.open.get(call);
  }

  findOpen(call) {
    return this.streamsOf(call)
      .filter((stream) => stream.state === "open")
      .sort((a, b) => a.opened_at.localeCompare(b.opened_at));
  }

  /** The open alerts of a call, newest first. */
  alertsOf(call) {
    this.alerted ??= this.findAlerted();
    return this.alerted.get(call) ?? [];
  }

  findAlerted() {
    const found = new Map();
    for (const alert of [...this.alerts.values()].sort((a, b) => b.raised_at.localeCompare(a.raised_at))) {
      if (alert.acknowledged_at) continue;
      if (!found.has(alert.call)) found.set(alert.call, []);
      found.get(alert.call).push(alert);
    }
    return found;
  }

  /** Who hears a call: {by, user, how: "listens" | "coaches" | "joined"}, people who speak first. */
  watchersOf(call) {
    const of = (map) => [...map.values()].filter((one) => one.call === call);
    const inIt = of(this.supervisions).map(({ by, user, mode, state }) => ({ by, user, state, how: mode === "join" ? "joined" : "coaches" }));
    return [...inIt, ...of(this.listenings).map(({ by, user }) => ({ by, user, how: "listens" }))];
  }

  /** What a call is doing: ringing, queued, talking, hold, wrapup, ended. */
  phaseOf(call) {
    if (call.phase) return call.phase;
    return call.state === "live" ? "talking" : call.state;
  }

  /** The newest final line of a call, or undefined. */
  lastLine(call) {
    return [...(this.lines.get(call)?.values() ?? [])].at(-1);
  }

  /** The newest partial line of a call, or undefined. */
  lastPartial(call) {
    return [...this.partials.values()].filter((line) => line.call === call).at(-1);
  }
}

/** Whether utterance a = "stream/track/7" comes after b of the same stream and track. */
function isNewer(a, b) {
  return Number(a.split("/")[2]) > Number(b.split("/")[2]);
}

/** Keep a noun's row; one that is over, by `isOver`, is forgotten as one that is gone. */
const noun = (name, key, isOver = () => false) =>
  function (message) {
    this.alerted = null;
    if (message.gone || isOver(message)) this[name].delete(message[key]);
    else this[name].set(message[key], message);
    this.tell(message.call ?? undefined, key);
  };

const HANDLERS = {
  snapshot(message) {
    this.load(message);
  },
  call(message) {
    if (message.gone) this.lose(message.call);
    else this.put(message);
    this.tell(message.call, "call");
  },
  stream(message) {
    this.open.clear();
    if (message.gone) this.streams.delete(message.stream);
    else this.streams.set(message.stream, message);
    if (message.gone || message.state === "closed") this.dropPassing(message.stream);
    this.tell(message.call, "stream");
  },
  gap: noun("gaps", "gap"),
  command: noun("commands", "command"),
  waiting: noun("waiting", "waiting", (message) => message.left_at),
  agent: noun("agents", "agent"),
  listening: noun("listenings", "listening", (message) => message.ended_at),
  supervision: noun("supervisions", "supervision", (message) => message.state === "ended"),
  moment: noun("moments", "moment"),
  note: noun("notes", "note"),
  turn: noun("turns", "turn"),
  alert: noun("alerts", "alert"),
  utterance(message) {
    if (message.gone) this.lines.get(message.call)?.delete(message.utterance);
    else this.line(message);
    this.tell(message.call, "utterance");
  },
  partial(message) {
    this.partial(message);
    this.tell(message.call, "partial");
  },
  levels(message) {
    for (const [sid, level] of Object.entries(message.levels)) this.levels.set(sid, level);
  },
  health(message) {
    for (const [sid, health] of Object.entries(message.streams)) {
      this.health.set(sid, health);
      const stream = this.streams.get(sid);
      if (stream) this.tell(stream.call, "health");
    }
  },
};
