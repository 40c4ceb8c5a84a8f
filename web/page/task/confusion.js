/* Which class is taken for which: a matrix, and the commonest of its cells in words. */

import { bdi, h } from "../base/dom.js";
import { count, counted, percent } from "../base/numbers.js";
import { Heatmap } from "../charts/heatmap.js";
import { some } from "../charts/some.js";

const PAIRS = 12;

/**
 * @param {Seen} seen
 * @param {"validation" | "test"} split
 */
export function confusion(seen, split) {
  const { cells, order, by_class, examples, correct } = seen[split];
  const [images, right] = by_class,
    { classes } = seen;
  if (!cells.length) return h("div", { hidden: true });
  const shown = new Set(order);
  /** @type {Map<string, number>} */
  const found = new Map(cells.map(([label, answer, n]) => [`${label} ${answer}`, n]));
  const share = (/** @type {number} */ label, /** @type {number} */ n) => (images[label] ? n / images[label] : 0);
  const most = Math.max(...cells.map(([label, , n]) => share(label, n)));
  const inside = cells.filter(([label, answer]) => shown.has(label) && shown.has(answer));
  const drawn = inside.reduce((sum, [, , n]) => sum + n, 0),
    wrong = examples - correct;
  const named = new Set(cells.slice(0, PAIRS).flatMap(([label, answer]) => [label, answer]));
  const matrix = new Heatmap({
    label: `Images of the ${split} split by right class (rows) and answer (columns)`,
    most: 620,
    items: { order: () => order, name: (n) => classes[n], named: order.length > 40 ? named : undefined },
    cell: (label, answer) => {
      if (label === answer)
        return {
          value: null,
          text: count(right[label]),
          told: `${count(right[label])} of ${counted(images[label], "image")} answered right`,
        };
      const n = found.get(`${label} ${answer}`) ?? 0;
      // The square root: rare confusions are seen beside common ones.
      return {
        value: Math.sqrt(share(label, n) / most),
        text: n ? count(n) : "",
        told: `${count(n)} of ${counted(images[label], "image")} of the first taken for the second`,
      };
    },
    rows: () => [
      ["right class", "answer", "images", "% of the class"],
      ...cells.map(([label, answer, n]) => [classes[label], classes[answer], n, percent(share(label, n), 1)]),
    ],
  });
  const part =
    order.length < classes.length
      ? `the ${count(order.length)} of ${counted(classes.length, "class")} with most errors`
      : "";
  const left = drawn < wrong ? ` ${count(drawn)} of ${count(wrong)} errors are in it, the commonest first.` : "";
  const said =
    "A row is a right class, a column an answer; darker is a larger share of the row, grey what was right. Classes that " +
    `are taken for each other stand side by side.${part ? ` Shown are ${part}.` : ""}${left}`;
  const item = (/** @type {typeof cells[number]} */ [label, answer, n]) =>
    h(
      "li",
      {},
      h("span", {}, bdi(classes[label]), " taken for ", bdi(classes[answer])),
      h("span", { class: "value" }, `${count(n)} of ${count(images[label])}`),
    );
  return h(
    "div",
    {},
    h("h2", {}, "What is taken for what"),
    h("p", { class: "how" }, said),
    h(
      "div",
      { class: "matrix" },
      matrix.box,
      h(
        "div",
        {},
        h("h3", {}, "Most often"),
        some("pairs of classes", cells, PAIRS, item, h("ul", { class: "flows" })),
      ),
    ),
  );
}
