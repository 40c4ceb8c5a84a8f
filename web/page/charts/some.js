/* Long lists. */

import { h } from "../base/dom.js";
import { count } from "../base/numbers.js";

/* The first few of many, and a button for all. `make(item)` gives a node. Who asked for all of `name` gets all of it
   when the data is another one, too. */
const unfolded = new Set();

/**
 * @param {string} name
 * @param {HTMLElement} box
 */
export function some(name, items, most, make, box) {
  const first = unfolded.has(name) ? items.length : most;
  items.slice(0, first).forEach((item) => box.append(make(item)));
  if (items.length <= first) return box;
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
  );
  return h("div", {}, box, more);
}
