// Runs in the page before everything else: notes when each tick came, was acknowledged and stood on the screen.
//
// The number of a tick is in its levels (caller -60 + n / 10 dBFS), so that the meters themselves say which one they show.
(() => {
  const now = () => performance.timeOrigin + performance.now();
  const seen = (window.probe = { came: [], drawn: [], acks: 0, long: [], rows: [] });
  const called = new Map(); // call → when its event was written

  const afterPaint = (then) => {
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = then;
      port2.postMessage(null);
    });
  };

  function heard(message) {
    if (message.type === "call") called.set(String(message.call), Date.parse(message.at));
    if (message.type !== "levels") return;
    const [first] = Object.values(message.levels);
    const n = Math.round((first.inbound + 60) * 10);
    const sent = Date.parse(message.at);
    seen.came.push([n, now() - sent]);
    afterPaint(() => {
      const meters = [...document.querySelectorAll("[data-streaming] cc-meter")];
      if (meters.length && [meters[0], meters.at(-1)].every((meter) => meter.dataset.inbound === String(first.inbound))) {
        seen.drawn.push([n, now() - sent]);
      }
    });
  }

  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", (event) => heard(JSON.parse(event.data)));
    }

    send(text) {
      if (text.includes('"ack"')) seen.acks += 1;
      super.send(text);
    }
  };

  new PerformanceObserver((list) => seen.long.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask" });
  addEventListener("DOMContentLoaded", () => {
    new MutationObserver((changes) => {
      const added = changes.flatMap((change) => [...change.addedNodes]).filter((node) => called.has(node.dataset?.call));
      if (added.length) afterPaint(() => seen.rows.push(...added.map((node) => now() - called.get(node.dataset.call))));
    }).observe(document.querySelector("[data-rows]"), { childList: true });
  });
})();
