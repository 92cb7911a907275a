// Who is listened to: one for the page; "change" tells that `call` or `state` is another.

class Listening extends EventTarget {
  call = null;
  state = "off";

  start({ call }) {
    this.#become(call, "connecting");
  }

  stop() {
    this.#become(null, "off");
  }

  #become(call, state) {
    [this.call, this.state] = [call, state];
    this.dispatchEvent(new Event("change"));
  }
}

export const listening = new Listening();
