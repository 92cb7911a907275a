// A Twilio of our own for tests of the desk: window.Twilio as the SDK makes it, and `twilio` to play with it.
class Emitter {
  #listeners = {};
  on(name, listener) { (this.#listeners[name] ??= []).push(listener); return this; }
  emit(name, ...facts) { for (const one of this.#listeners[name] ?? []) one(...facts); }
}
class FakeCall extends Emitter {
  state = "pending";
  muted = false;
  digits = "";
  parameters = { CallSid: "CA" + "c".repeat(32) };
  status() { return this.state; }
  isMuted() { return this.muted; }
  accept(options) { this.options = options; this.state = "open"; this.emit("accept", this); }
  reject() { this.end("reject"); }
  disconnect() { this.end("disconnect"); }
  end(how) { this.state = "closed"; this.emit(how, this); }
  mute(on) { this.muted = on; this.emit("mute", on, this); }
  sendDigits(digits) { this.digits += digits; }
}
class FakeDevice extends Emitter {
  static audioContext = { state: "running" };
  state = "unregistered";
  audio = {
    incoming: (on) => { this.rings = on; },
    isOutputSelectionSupported: true,
    availableOutputDevices: new Map(),
    speakerDevices: { set: async (id) => { this.speaker = id; } },
  };
  constructor(token, options) { super(); this.token = token; this.options = options; twilio.device = this; twilio.devices += 1; }
  async register() {
    this.emit("registering");
    if (twilio.refuses) {
      const error = Object.assign(new Error("refused"), { code: twilio.refuses });
      this.emit("error", error);
      throw error;
    }
    this.become("registered");
  }
  updateToken(token) { this.token = token; }
  destroy() { this.become("destroyed"); }
  become(state) { this.state = state; this.emit(state); }
}
window.twilio = {
  devices: 0,
  refuses: 0,
  ring() { this.call = new FakeCall(); this.device.emit("incoming", this.call); },
};
window.Twilio = { Device: FakeDevice, Call: FakeCall };
