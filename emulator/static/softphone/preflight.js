// A try of the line before there is a call: Twilio.Device.runPreflight.

import { Emitter } from "./emitter.js";
import { TwilioError, fromServer } from "./errors.js";
import { Signalling } from "./signalling.js";
import { mos } from "./stats.js";

const ROUNDS = 10;
const BETWEEN_MS = 100;
const PATIENCE_MS = 10000;

/** What Twilio calls a line with that mean opinion score. */
const QUALITIES = [[4.2, "excellent"], [4.1, "great"], [3.7, "good"], [3.1, "fair"], [0, "degraded"]];

export class PreflightTest extends Emitter {
  static Events = { Completed: "completed", Connected: "connected", Failed: "failed", Sample: "sample", Warning: "warning" };
  static Status = { Connecting: "connecting", Connected: "connected", Completed: "completed", Failed: "failed" };
  static CallQuality = Object.fromEntries(QUALITIES.map(([, name]) => [name[0].toUpperCase() + name.slice(1), name]));

  callSid = undefined;
  endTime = undefined;
  latestSample = undefined;
  report = undefined;
  startTime = Date.now();
  status = PreflightTest.Status.Connecting;
  #line;
  #edge;
  #connectedAt = 0;
  #samples = [];
  #patience;

  /** Places no call: it measures the connection that signalling and sound share. */
  constructor(token) {
    super();
    this.#line = new Signalling(token);
    this.#line.on("connected", ({ edge }) => this.#begin(edge));
    this.#line.on("pong", () => this.#take());
    this.#line.on("failed", ({ error }) => this.#fail(fromServer(error, false, 53000)));
    this.#line.on("lost", () => this.#fail(new TwilioError(31005)));
    this.#patience = setTimeout(() => this.#fail(new TwilioError(31003)), PATIENCE_MS);
    this.#line.open();
  }

  stop() {
    this.#fail(new TwilioError(31008, "The test was stopped"));
  }

  #begin(edge) {
    if (this.endTime) return;
    this.status = PreflightTest.Status.Connected;
    this.#connectedAt = Date.now();
    this.#edge = edge;
    this.emit("connected");
    this.#line.ping();
  }

  #take() {
    if (this.endTime) return;
    const rtt = this.#line.rtt;
    const last = this.latestSample?.rtt ?? rtt;
    const jitter = Math.abs(rtt - last);
    this.latestSample = { rtt, jitter, mos: mos(rtt, jitter), packetsLost: 0, timestamp: Date.now() };
    this.#samples.push(this.latestSample);
    this.emit("sample", this.latestSample);
    if (this.#samples.length >= ROUNDS) this.#complete();
    else setTimeout(() => this.#line.ping(), BETWEEN_MS);
  }

  #complete() {
    this.#finish(PreflightTest.Status.Completed);
    const stats = Object.fromEntries(["jitter", "mos", "rtt"].map((name) => [name, summary(this.#samples, name)]));
    this.report = {
      callQuality: QUALITIES.find(([least]) => stats.mos.average >= least)[1],
      callSid: undefined,
      edge: this.#edge,
      iceCandidateStats: [],
      isTurnRequired: false,
      networkTiming: { signaling: span(this.startTime, this.#connectedAt) },
      samples: this.#samples,
      selectedEdge: this.#edge,
      stats,
      testTiming: span(this.startTime, this.endTime),
      warnings: [],
    };
    this.emit("completed", this.report);
  }

  #fail(error) {
    if (this.endTime) return;
    this.#finish(PreflightTest.Status.Failed);
    this.emit("failed", error);
  }

  #finish(status) {
    this.status = status;
    this.endTime = Date.now();
    clearTimeout(this.#patience);
    this.#line.close();
  }
}

const span = (start, end) => ({ start, end, duration: end - start });

function summary(samples, name) {
  const values = samples.map((sample) => sample[name]);
  const average = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { average, max: Math.max(...values), min: Math.min(...values) };
}
