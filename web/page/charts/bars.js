/* Horizontal bars. */

import { widthOf } from "../base/canvas.js";
import { h, named } from "../base/dom.js";
import { taskColour } from "../base/theme.js";
import { mark } from "../base/tip.js";
import { some } from "./some.js";

/**
 * @typedef {object} Row
 * @property {number} task in whose colour it is; -1 the root's
 * @property {string} name
 * @property {number[]} values one for each part
 * @property {string} [note] instead of the sum
 */

/**
 * Horizontal bars of several parts, as text and blocks that every width can hold.
 * @param {object} plan
 * @param {Row[]} plan.rows
 * @param {{ name: string, colour?: Colour }[]} plan.parts without a colour: the task's
 * @param {(value: number) => string} plan.text
 * @param {string} plan.label
 */
export function bars({ rows, parts, text, label }) {
  const said = (/** @type {Row} */ row) => row.note ?? text(row.values.reduce((a, b) => a + b, 0));
  const most = Math.max(...rows.map((row) => row.values.reduce((a, b) => a + b, 0)), 1e-12);
  // As wide as the longest, so that all bars begin and end alike.
  const wide = Math.max(...rows.map((row) => widthOf(said(row), 13.5)));
  const list = h("ul", {
    class: "bars",
    "aria-label": `${label} by task`,
    css: { "--value": `${Math.ceil(wide) + 2}px` },
  });
  const make = (/** @type {Row} */ row) => {
    const sum = row.values.reduce((a, b) => a + b, 0);
    const bar = h("span", { class: "track", css: { width: `${(100 * sum) / most}%` } });
    row.values.forEach((value, n) => {
      if (value <= 0) return;
      const piece = h("i", { colour: parts[n].colour ?? taskColour(row.task), css: { flex: `${value} 0 0` } });
      bar.append(
        mark(piece, row.name, [`${parts[n].name}: ${text(value)}`, parts.length > 1 ? `of ${text(sum)}` : ""]),
      );
    });
    return h(
      "li",
      {},
      named(taskColour(row.task), row.name),
      h("span", { class: "room" }, bar),
      h("span", { class: "value" }, said(row)),
    );
  };
  return some(`tasks by ${label.toLowerCase()}`, rows, 24, make, list);
}
