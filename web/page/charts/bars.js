/* Horizontal bars. */

import { h, named } from "../base/dom.js";
import { taskColour } from "../base/theme.js";
import { mark } from "../base/tip.js";
import { some } from "./some.js";

/* Horizontal bars of several parts, as text and blocks that every width can hold. */
export function bars({ rows, parts, text, label }) {
  const most = Math.max(...rows.map((row) => row.values.reduce((a, b) => a + b, 0)), 1e-12);
  const list = h("ul", { class: "bars", "aria-label": `${label} by task` });
  const make = (row) => {
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
      h("span", { class: "value" }, row.note ?? text(sum)),
    );
  };
  return some(`tasks by ${label.toLowerCase()}`, rows, 24, make, list);
}
