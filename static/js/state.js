// What the page knows: calls, streams, lines, gaps and commands, each in its present state.
//
// Every message is a noun's whole state, so applying it twice or late does no harm. Nothing here touches the page.

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
    this.legs = [];
    this.health = new Map();
    this.levels = new Map(); // stream → {inbound, outbound}
    this.site = {};
    this.listeners = new Set();
    this.orphans = new Set(); // keys of what belongs to no call that we know
    this.open = new Map(); // call → its open streams, found once after each change
  }

  /** Call `listener(call)` with the id of each call that changed, or null for all. */
  watch(listener) {
    this.listeners.add(listener);
  }

  tell(call) {
    for (const listener of this.listeners) listener(call);
  }

  apply(message) {
    const handler = HANDLERS[message.type];
    if (message.type !== "levels") this.open.clear();
    if (handler) handler.call(this, message);
  }

  /** Put a whole snapshot in place of what was known; partial lines and levels of open streams stay. */
  load(snapshot) {
    this.open.clear();
    const fresh = new Set(snapshot.calls.map((call) => call.call));
    for (const id of this.calls.keys()) if (!fresh.has(id)) this.forget(id);
    for (const map of [this.gaps, this.commands]) map.clear();
    for (const id of fresh) this.dropStreams(id);
    for (const call of snapshot.calls) this.calls.set(call.call, call);
    for (const stream of snapshot.streams) this.streams.set(stream.stream, stream);
    for (const gap of snapshot.gaps ?? []) this.gaps.set(gap.gap, gap);
    for (const command of snapshot.commands ?? []) this.commands.set(command.command, command);
    for (const line of snapshot.utterances ?? []) this.line(line);
    this.legs = snapshot.legs ?? this.legs;
    this.site = snapshot.site ?? this.site;
    this.tell(null);
  }

  /** A call and all that belongs to it is no longer shown. */
  forget(id) {
    this.calls.delete(id);
    this.lines.delete(id);
    this.dropStreams(id);
    for (const map of [this.gaps, this.commands]) {
      for (const [key, noun] of map) if (noun.call === id) map.delete(key);
    }
  }

  /** Each second: forget what still has no call, and partial lines that nothing follows. */
  prune() {
    const orphans = new Set();
    for (const map of [this.streams, this.gaps, this.commands]) {
      for (const [key, noun] of map) if (!this.calls.has(noun.call)) this.bury(map, key, orphans);
    }
    for (const call of this.lines.keys()) if (!this.calls.has(call)) this.bury(this.lines, call, orphans);
    this.orphans = orphans;
    for (const [key, line] of this.partials) {
      if (Date.now() - line.heardAt < PARTIAL_MS) continue;
      this.partials.delete(key);
      this.tell(line.call);
    }
    for (const map of [this.levels, this.health]) {
      for (const sid of map.keys()) if (!this.streams.has(sid)) map.delete(sid);
    }
  }

  /** Delete what was without its call a second ago too: the call may only come after what belongs to it. */
  bury(map, key, orphans) {
    if (this.orphans.has(key)) map.delete(key);
    else orphans.add(key);
    this.open.clear();
  }

  dropStreams(id) {
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

const noun = (name, key) =>
  function (message) {
    if (message.gone) this[name].delete(message[key]);
    else this[name].set(message[key], message);
    this.tell(message.call);
  };

const HANDLERS = {
  snapshot(message) {
    this.load(message);
  },
  call(message) {
    if (message.gone) this.forget(message.call);
    else this.calls.set(message.call, message);
    this.tell(message.call);
  },
  stream(message) {
    if (message.gone) this.streams.delete(message.stream);
    else this.streams.set(message.stream, message);
    if (message.gone || message.state === "closed") this.dropPassing(message.stream);
    this.tell(message.call);
  },
  gap: noun("gaps", "gap"),
  command: noun("commands", "command"),
  utterance(message) {
    if (message.gone) this.lines.get(message.call)?.delete(message.utterance);
    else this.line(message);
    this.tell(message.call);
  },
  partial(message) {
    this.partial(message);
    this.tell(message.call);
  },
  levels(message) {
    for (const [sid, level] of Object.entries(message.levels)) this.levels.set(sid, level);
  },
  health(message) {
    for (const [sid, health] of Object.entries(message.streams)) {
      this.health.set(sid, health);
      const stream = this.streams.get(sid);
      if (stream) this.tell(stream.call);
    }
  },
};
