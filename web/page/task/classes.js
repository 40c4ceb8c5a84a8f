/* Accuracy of each class, the worst first, with what chance leaves open. */

import { bdi, h } from "../base/dom.js";
import { count, percent } from "../base/numbers.js";
import { mark } from "../base/tip.js";
import { some } from "../charts/some.js";

/**
 * @param {Seen} seen
 * @param {"validation" | "test"} split
 * @param {Colour} colour
 */
export function classes(seen, split, colour) {
  const [images, right, answers, low, high] = seen[split].by_class;
  const there = [...images.keys()].filter((k) => images[k]);
  const none = images.length - there.length;
  there.sort((a, b) => right[a] / images[a] - right[b] / images[b] || a - b);
  const row = (/** @type {number} */ k) => {
    const share = right[k] / images[k];
    const [from, to] = [low[k] ?? 0, high[k] ?? 1];
    const told = [
      `${count(right[k])} of ${count(images[k])} ${split} images right, ${percent(share, 1)}\u00a0%`,
      `95 % interval ${percent(from, 1)} to ${percent(to, 1)}\u00a0%`,
      `answered ${count(answers[k])} times, rightly ${percent(answers[k] ? right[k] / answers[k] : NaN, 1)}\u00a0%`,
    ];
    const track = h(
      "span",
      { class: "share" },
      h("i", { colour, css: { width: `${100 * share}%` } }),
      h("b", { css: { left: `${100 * from}%`, width: `${100 * (to - from)}%` } }),
    );
    return h(
      "li",
      {},
      h("span", { class: "named" }, bdi(seen.classes[k])),
      mark(track, seen.classes[k], told),
      h("span", { class: "value" }, `${percent(share, 1)}\u00a0% of ${count(images[k])}`),
    );
  };
  return h(
    "div",
    {},
    h("h2", {}, "Class by class"),
    h(
      "p",
      { class: "how" },
      `Share of each class’s ${split} images that is answered right, the lowest first; the line is its 95 % interval ` +
        `(Wilson).${none ? ` ${count(none)} of the classes ${none === 1 ? "has" : "have"} no ${split} image.` : ""}`,
    ),
    some("classes", there, 24, row, h("ul", { class: "bars shares" })),
  );
}
