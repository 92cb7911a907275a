// One line's words, dressed: what was searched, what raised an alert, what is hidden. Text goes in as text.

import { make } from "../dom.js";

const WORD = /[\p{L}\p{M}\p{N}_]+(?:['’‘ʼ＇`´][\p{L}\p{M}\p{N}_]+)*/gu;
const HIDDEN = /\[hidden: [^\]\n]{1,60}\]/g; // as the site writes a card number or the like

/**
 * The nodes of a line. `found` is a word in small letters, marked wherever it stands; `alarms` are words that raised
 * an alert: marked where they stand, in any case.
 */
export function dress(said, { found = "", alarms = [] }) {
  const lower = said.toLowerCase();
  const hidden = [...said.matchAll(HIDDEN)].map(({ 0: word, index }) => [index, index + word.length]);
  const alarmed = alarms.flatMap((phrase) => saidIn(said, phrase));
  const sought = places(lower, found);
  const ranges = { hidden, alarmed, sought };
  return pieces(said.length, [...hidden, ...alarmed, ...sought]).map(([from, to]) => node(said.slice(from, to), ranges, from));
}

/** Where a phrase is said, as whole words in any case and with any apostrophe: [[from, to], …]. */
export function saidIn(said, phrase) {
  const words = (phrase.match(WORD) ?? []).map((word) => word.replaceAll(/['’‘ʼ＇`´]/g, "['’‘ʼ＇`´]?"));
  if (!words.length) return [];
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])${words.join("[^\\p{L}\\p{N}]+")}(?![\\p{L}\\p{N}])`, "giu");
  return [...said.matchAll(pattern)].map(({ 0: found, index }) => [index, index + found.length]);
}

/** Where a word stands: [[from, to], …]. */
function places(lower, word) {
  const result = [];
  if (!word) return result;
  for (let at = lower.indexOf(word); at >= 0; at = lower.indexOf(word, at + word.length)) result.push([at, at + word.length]);
  return result;
}

/** The line cut wherever something begins or ends. */
function pieces(length, ranges) {
  const cuts = [...new Set([0, length, ...ranges.flat()])].sort((a, b) => a - b);
  return cuts.slice(1).map((to, n) => [cuts[n], to]);
}

function node(words, { hidden, alarmed, sought }, at) {
  const within = (ranges) => ranges.some(([from, to]) => from <= at && at < to);
  let result = within(sought) ? make("mark", "", words) : words;
  if (within(alarmed)) result = wrapped("strong", "alarm", result);
  if (within(hidden)) result = wrapped("span", "redacted", result);
  return result;
}

function wrapped(tag, className, content) {
  const element = make(tag, className);
  element.append(content);
  return element;
}
