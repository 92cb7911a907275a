// <cc-transcript>: what was said, in the order of the call. It follows the end until one scrolls up, then counts
// the new lines. Partial lines stand last, in italics, until the final one takes their place.

import { duration } from "../clock.js";
import { make, mark, newIcon, text } from "../dom.js";
import { SPEAKERS } from "../words.js";

const NEAR_PX = 48;

class Transcript extends HTMLElement {
  #list = document.createElement("ol");
  #items = new Map(); // key → element
  #partials = new Map();
  #unseen = 0;
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
  }

  get follows() {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR_PX;
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight;
    this.#scrolled();
  }

  /** Show entries [{key, at_ms, who, text, gap}] and partial ones [{key, who, text}]; `live` follows the end. */
  show(entries, partials, { live, empty }) {
    const follow = live && this.follows;
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
        if (!entry.gap) added += 1;
        if (this.#needle) this.#highlight(item);
      } else if (item.said !== entry.text) {
        fill(item, entry);
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
    text(this.more.firstElementChild, this.#unseen === 1 ? "1 new line" : `${this.#unseen} new lines`);
  }

  #scrolled() {
    if (this.follows) {
      this.#unseen = 0;
      this.more.hidden = true;
    }
  }

  /** Mark every place that holds `needle`; {count, at} with at from 1, 0 if nothing is found. */
  find(needle) {
    this.#needle = needle.trim().toLowerCase();
    this.#found = -1;
    for (const item of this.#items.values()) this.#highlight(item);
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

  #highlight(item) {
    const place = item.place;
    const said = item.said;
    item.classList.remove("is-found");
    item.hit = Boolean(this.#needle) && !item.classList.contains("is-gap") && said.toLowerCase().includes(this.#needle);
    if (!item.hit) {
      if (place.childElementCount) place.textContent = said; // the same words without the marks
      return;
    }
    place.replaceChildren(...pieces(said, this.#needle));
  }
}

function pieces(said, needle) {
  const result = [];
  const lower = said.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, from)) {
    result.push(said.slice(from, at), make("mark", "", said.slice(at, at + needle.length)));
    from = at + needle.length;
  }
  result.push(said.slice(from));
  return result;
}

function newLine(entry) {
  const item = make("li", entry.gap ? "line is-gap" : "line");
  item.append(make("time"));
  if (!entry.gap) item.append(make("span", "speaker"));
  item.place = item.appendChild(make("bdi", "said"));
  fill(item, entry);
  return item;
}

function fill(item, entry) {
  item.said = entry.text;
  item.dataset.key = entry.key;
  mark(item, "who", entry.who);
  text(item.querySelector("time"), entry.at_ms === null ? "" : duration(entry.at_ms));
  const speaker = item.querySelector(".speaker");
  if (speaker) text(speaker, SPEAKERS[entry.who] ?? SPEAKERS.other);
  text(item.place, entry.text);
}

customElements.define("cc-transcript", Transcript);
