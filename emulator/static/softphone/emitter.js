// Events as Node's EventEmitter has them, because Twilio's SDK has those.

export class Emitter {
  #listeners = new Map();

  on(name, listener) {
    if (typeof listener !== "function") throw new TypeError("The listener must be a function");
    this.#of(name).push({ listener, once: false });
    return this;
  }

  once(name, listener) {
    if (typeof listener !== "function") throw new TypeError("The listener must be a function");
    this.#of(name).push({ listener, once: true });
    return this;
  }

  removeListener(name, listener) {
    const list = this.#of(name);
    const at = list.findLastIndex((one) => one.listener === listener);
    if (at >= 0) list.splice(at, 1);
    return this;
  }

  addListener(name, listener) {
    return this.on(name, listener);
  }

  off(name, listener) {
    return this.removeListener(name, listener);
  }

  removeAllListeners(name) {
    if (name === undefined) this.#listeners.clear();
    else this.#listeners.delete(name);
    return this;
  }

  listeners(name) {
    return this.#of(name).map((one) => one.listener);
  }

  listenerCount(name) {
    return this.#of(name).length;
  }

  eventNames() {
    return [...this.#listeners.keys()].filter((name) => this.listenerCount(name) > 0);
  }

  /** Call every listener of now; an error that nobody listens for is thrown, as in Node. */
  emit(name, ...facts) {
    const list = [...this.#of(name)];
    if (!list.length && name === "error") throw facts[0] ?? new Error("Unhandled error event");
    for (const one of list) {
      if (one.once) this.removeListener(name, one.listener);
      one.listener.apply(this, facts);
    }
    return list.length > 0;
  }

  #of(name) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, []);
    return this.#listeners.get(name);
  }
}
