// Beside the transcript: custom parameters, timeline, details.

import { timeOfDay } from "../clock.js";
import { make, mark, one } from "../dom.js";
import { gettext } from "../i18n.js";
import { timeline } from "../timeline.js";

export class Side {
  constructor(state, id) {
    this.state = state;
    this.id = id;
  }

  draw() {
    const call = this.state.calls.get(this.id);
    const streams = this.state.streamsOf(this.id);
    const parameters = new Map(streams.flatMap((stream) => Object.entries(stream.parameters)));
    one("[data-parameters-panel]").hidden = parameters.size === 0;
    pairs(one("[data-parameters]"), [...parameters]);
    this.showTimeline(call);
    const legs = this.state.legs.map((leg) => [LEGS[leg.kind] ?? leg.kind, leg.leg]);
    const sids = streams.map((stream) => [gettext("Stream %(name)s", { name: stream.name }), stream.stream]);
    pairs(one("[data-details]"), [[gettext("Call"), String(call.call)], ...legs, ...sids]);
  }

  showTimeline(call) {
    const list = one("[data-timeline]");
    const items = timeline(this.state, call).map((entry) => {
      const item = make("li");
      mark(item, "tone", entry.tone);
      const time = make("time", "", timeOfDay(entry.at));
      time.dateTime = entry.at;
      item.append(time, make("span", "", entry.text));
      return item;
    });
    if (list.textContent !== items.map((item) => item.textContent).join("")) list.replaceChildren(...items);
  }
}

const LEGS = {
  caller: gettext("Caller leg"),
  agent: gettext("Agent leg"),
  outside: gettext("Outside leg"),
  person: gettext("Leg of the person called"),
  supervisor: gettext("Supervisor leg"),
};

function pairs(list, entries) {
  const said = entries.flat().join("\0");
  if (list.said === said) return;
  list.said = said;
  list.replaceChildren(
    ...entries.map(([name, value]) => {
      const row = make("div");
      const [term, detail] = [make("dt"), make("dd")];
      term.append(make("bdi", "", name));
      detail.append(make("bdi", "", String(value)));
      row.append(term, detail);
      return row;
    }),
  );
}
