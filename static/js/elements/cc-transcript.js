// <cc-transcript>: what was said, in the order of the call, and between the lines what happened then. It follows the
// end until one scrolls up, then counts the new lines. Partial lines stand last, in italics, until the final one comes.

import { duration } from "../clock.js";
import { make, mark, newIcon, text } from "../dom.js";
import { ngettext } from "../i18n.js";
import { SPEAKERS } from "../words.js";
import { dress } from "./said.js";

const NEAR_PX = 48;
const MARKERS = { gap: "line is-gap", moment: "line is-marker is-moment", alert: "line is-marker is-alert" };
const ICONS = { moment: "flag", alert: "bang" };

class Transcript extends HTMLElement {
  #list = document.createElement("ol");
  #items = new Map(); // key → element
  #partials = new Map();
  #unseen = 0;
  #stays = true; // at the end, until somebody scrolls away from it
  #live = false;
  #observer = new ResizeObserver(() => this.#live && this.#stays && this.toEnd());
  #needle = "";
  #found = -1;

  connectedCallback() {
    if (this.box) return;
    this.box = make("div", "lines");
    for (const [name, value] of [["role", "log"], ["aria-live", "off"], ["aria-labelledby", "transcript-title"], ["tabindex", "0"]]) {
      this.box.setAttribute(name, value);
    }
    this.empty = make("p", "lines-empty");
    this.more = make("button", "button new-lines");
    this.more.type = "button";
    this.more.hidden = true;
    this.more.append(make("span"), newIcon("down"));
    this.more.addEventListener("click", () => this.toEnd());
    this.box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.box.append(this.empty, this.#list);
    this.append(this.box, this.more);
    this.#observer.observe(this.box); // a banner above makes it smaller, which is no scrolling
  }

  get follows() {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR_PX;
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight;
    this.#scrolled();
  }

  /** Go to an entry by its key; whether it is there. */
  goTo(key) {
    const item = this.#items.get(key);
    for (const one of this.#items.values()) one.classList.remove("is-found");
    item?.classList.add("is-found");
    item?.scrollIntoView({ block: "center" });
    return Boolean(item);
  }

  /**
   * Show entries [{key, at_ms, who, text, kind, alarms}] and partial ones [{key, who, text}]; `live` follows the end.
   * `kind` is "gap", "moment" or "alert" for what is no line; `alarms` are the words of a line that raised an
   * alert, empty if the line as a whole did.
   */
  show(entries, partials, { live, empty }) {
    const follow = live && this.#stays;
    this.#live = live;
    const added = this.#place(entries);
    this.#placePartials(partials);
    text(this.empty, entries.length || partials.length ? "" : empty);
    this.empty.hidden = Boolean(entries.length || partials.length);
    if (follow) this.toEnd();
    else if (live && this.#items.size > added) this.#count(added);
    return added;
  }

  #place(entries) {
    const wanted = new Set(entries.map((entry) => entry.key));
    for (const [key, item] of this.#items) {
      if (!wanted.has(key)) {
        item.remove();
        this.#items.delete(key);
      }
    }
    let added = 0;
    let before = null;
    for (const entry of entries) {
      let item = this.#items.get(entry.key);
      if (!item) {
        item = newLine(entry);
        this.#items.set(entry.key, item);
        if (before) before.after(item);
        else this.#list.prepend(item);
        if (!entry.kind) added += 1;
        this.#dress(item);
      } else if (item.said !== entry.text || item.alarms !== alarmsOf(entry)) {
        fill(item, entry);
        this.#dress(item);
      }
      before = item;
    }
    return added;
  }

  #placePartials(partials) {
    const wanted = new Set(partials.map((partial) => partial.key));
    for (const [key, item] of this.#partials) {
      if (!wanted.has(key)) {
        item.remove();
        this.#partials.delete(key);
      }
    }
    for (const partial of partials) {
      const item = this.#partials.get(partial.key) ?? newLine(partial);
      item.classList.add("is-partial");
      if (item.said !== partial.text) fill(item, partial);
      this.#partials.set(partial.key, item);
      if (this.#list.lastElementChild !== item) this.#list.append(item);
    }
  }

  #count(added) {
    this.#unseen += added;
    this.more.hidden = this.#unseen === 0;
    text(this.more.firstElementChild, ngettext("%(n)s new line", "%(n)s new lines", this.#unseen));
  }

  #scrolled() {
    this.#stays = this.follows;
    if (this.#stays) {
      this.#unseen = 0;
      this.more.hidden = true;
    }
  }

  /** Mark every place that holds `needle`; {count, at} with at from 1, 0 if nothing is found. */
  find(needle) {
    this.#needle = needle.trim().toLowerCase();
    this.#found = -1;
    for (const item of this.#items.values()) this.#dress(item);
    return this.next(1);
  }

  /** Go to the next (1) or the one before (-1). */
  next(step) {
    const hits = [...this.#items.values()].filter((item) => item.hit);
    for (const item of hits) item.classList.remove("is-found");
    if (!hits.length) return { count: 0, at: 0 };
    this.#found = (this.#found + step + hits.length) % hits.length;
    hits[this.#found].classList.add("is-found");
    hits[this.#found].scrollIntoView({ block: "nearest" });
    return { count: hits.length, at: this.#found + 1 };
  }

  /** Put the words of an item in what they need: found places, alert words, what is hidden. */
  #dress(item) {
    item.classList.remove("is-found");
    item.hit = Boolean(this.#needle) && item.isLine && item.said.toLowerCase().includes(this.#needle);
    const marks = { found: item.hit ? this.#needle : "", alarms: item.alarms ? item.alarms.split("\0") : [] };
    const nodes = item.isLine ? dress(item.said, marks) : [item.said];
    if (nodes.length > 1 || nodes[0] !== item.said) item.place.replaceChildren(...nodes);
    else if (item.place.childElementCount) item.place.textContent = item.said; // the same words undressed
  }
}

const alarmsOf = (entry) => entry.alarms?.join("\0") ?? null;

function newLine(entry) {
  const item = make("li", MARKERS[entry.kind] ?? "line");
  item.isLine = !entry.kind;
  item.append(make("time"));
  if (item.isLine) item.append(make("span", "speaker"));
  if (ICONS[entry.kind]) item.append(newIcon(ICONS[entry.kind]));
  item.place = item.appendChild(make("bdi", "said"));
  fill(item, entry);
  return item;
}

function fill(item, entry) {
  item.said = entry.text;
  item.alarms = alarmsOf(entry);
  item.dataset.key = entry.key;
  mark(item, "who", entry.who);
  mark(item, "tone", entry.tone);
  item.classList.toggle("has-alarm", item.alarms !== null);
  text(item.querySelector("time"), entry.at_ms === null ? "" : duration(entry.at_ms));
  const speaker = item.querySelector(".speaker");
  if (speaker) text(speaker, SPEAKERS[entry.who] ?? SPEAKERS.other);
  text(item.place, entry.text);
}

customElements.define("cc-transcript", Transcript);
