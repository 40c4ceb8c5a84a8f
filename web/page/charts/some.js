/* Long lists. */

import { h } from "../base/dom.js";
import { count } from "../base/numbers.js";

/** @type {Set<string>} what the reader asked for all of */
const unfolded = new Set();

/**
 * The first few of many, and a button for all. Who asked for all of `name` gets all of it when the data is another one,
 * too.
 * @template T
 * @param {string} name of the items
 * @param {T[]} items
 * @param {number} most
 * @param {(item: T) => HTMLElement} make
 * @param {HTMLElement} box gets them
 */
export function some(name, items, most, make, box) {
  const first = unfolded.has(name) ? items.length : most;
  items.slice(0, first).forEach((item) => box.append(make(item)));
  const left = items.length - first;
  if (left <= 0) return box;
  const more = h(
    "p",
    { class: "more" },
    h(
      "button",
      {
        type: "button",
        onclick: () => {
          unfolded.add(name);
          more.remove();
          items.slice(first).forEach((item) => box.append(make(item)));
        },
      },
      `Show all ${count(items.length)} ${name}`,
    ),
    h("span", { class: "printed" }, `and ${count(left)} more, which the page shows on a screen`),
  );
  return h("div", {}, box, more);
}
