// What is shown: one team, one queue, only what needs attention. The address holds it, so it can be shared.

const NAMES = ["team", "queue", "attention"];

export class Filter {
  constructor(state) {
    this.state = state;
    this.read();
  }

  /** Take it from the address; a team or queue that is not there is no filter. */
  read() {
    const asked = new URLSearchParams(location.search);
    const known = (list, key, value) => (list.some((one) => one[key] === value) ? value : null);
    this.team = known(this.state.teams, "team", Number(asked.get("team")));
    this.queue = known(this.state.queues, "queue", Number(asked.get("queue")));
    this.attention = asked.get("attention") === "1";
    if (this.queue && !this.queues().some((one) => one.queue === this.queue)) this.queue = null;
  }

  /** Change it, and the address with it, so that "back" undoes it. */
  set(values) {
    Object.assign(this, values);
    if (this.queue && !this.inTeam(this.queueOf(this.queue))) this.queue = null;
    go({ team: this.team, queue: this.queue, attention: this.attention ? 1 : null });
  }

  clear() {
    this.set({ team: null, queue: null, attention: false });
  }

  get on() {
    return NAMES.some((name) => this[name]);
  }

  /** Whether only some queues are looked at. */
  get narrow() {
    return Boolean(this.team || this.queue);
  }

  queueOf(key) {
    return this.state.queues.find((one) => one.queue === key);
  }

  inTeam(queue) {
    return !this.team || queue?.team === this.team;
  }

  /** The queues that can be chosen beside the team. */
  queues() {
    return this.state.queues.filter((queue) => this.inTeam(queue));
  }

  /** Whether a queue's figures are counted. */
  counts(key) {
    return this.queue ? key === this.queue : this.inTeam(this.queueOf(key));
  }

  place(call) {
    return (!this.team || call.team === this.team) && (!this.queue || call.queue_id === this.queue);
  }

  call(call) {
    return this.place(call) && (!this.attention || this.needs(call));
  }

  /** Whether a call needs somebody: its agent asks for help, or it has an alert that nobody took. */
  needs(call) {
    return call.state !== "ended" && Boolean(call.help || this.state.alertsOf(call.call).length);
  }

  waiting(waiting) {
    if (this.queue) return waiting.queue === this.queue;
    return !this.team || this.inTeam(this.queueOf(waiting.queue)) || this.state.calls.get(waiting.call)?.team === this.team;
  }

  agent(agent) {
    if (this.queue && !(agent.queues ?? []).includes(this.queue)) return false;
    return !this.team || (agent.teams ?? []).includes(this.team);
  }

  /** An alert stands where its call stands now, or stood when the alert was told. */
  alert(alert) {
    return this.place(this.state.places.get(alert.call) ?? alert);
  }
}

/** Change the address without leaving the page; null takes a value out. */
export function go(values) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === "") address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  if (address.href !== location.href) history.pushState(null, "", address);
}
