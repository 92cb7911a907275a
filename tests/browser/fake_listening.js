// Stands in for static/js/listen.js: notes what is asked of the sound, and is what the test says.
class Listening extends EventTarget {
  state = "off";
  call = null;
  muted = false;
  behindMs = null;
  reason = "";
  waiting = "";
  asked = [];
  configure() {}
  restore() {}
  start(what) {
    this.asked.push(what);
    this.become({ call: what.call, state: "connecting" });
  }
  stop() {
    this.become({ call: null, state: "off" });
  }
  become(change) {
    Object.assign(this, change);
    this.dispatchEvent(new Event("change"));
  }
}
export const listening = new Listening();
window.listening = listening;
