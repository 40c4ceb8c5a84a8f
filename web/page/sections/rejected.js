/* Verdicts on children. */

import { h, swatch } from "../base/dom.js";
import { count, percent } from "../base/numbers.js";
import { dataTable } from "../base/table.js";
import { bars } from "../charts/bars.js";

/** @type {Section} */
export const rejected = {
  id: "rejected",
  name: "Rejected",
  title: "Children that were accepted, and those that were not",
  how:
    "One bar a task, one segment a verdict. “Accepted, best” were better than all models of their task before " +
    "them.",
  themed: true,
  fill,
};

const REASON_COLOURS = ["var(--no)", "var(--odd)", "var(--faint)", "var(--alarm)"];

/**
 * @param {Data} data
 * @param {HTMLElement} body
 */
function fill(data, body) {
  if (!data.count) {
    body.append(h("p", { class: "none" }, "No sampled child is recorded."));
    return;
  }
  const { reasons, by_task: table } = data.rejected;
  const parts = [
    { name: "accepted, best", colour: "var(--best)" },
    { name: "accepted", colour: "var(--accepted)" },
    ...reasons.map((name, n) => ({
      name: `rejected: ${name}`,
      colour: REASON_COLOURS[Math.min(n, REASON_COLOURS.length - 1)],
    })),
  ];
  const sums = parts.map((_, n) => table.reduce((sum, line) => sum + line[n], 0));
  const rows = data.order
    .filter((task) => table[task].some((n) => n))
    .map((task) => ({
      task,
      name: data.tasks[task].name,
      values: table[task],
      note: `${percent((table[task][0] + table[task][1]) / table[task].reduce((a, b) => a + b, 0), 0)}\u00a0% accepted`,
    }));
  body.append(
    h(
      "div",
      { class: "controls" },
      h(
        "ul",
        { class: "key" },
        parts.map((part, n) => h("li", {}, swatch(part.colour), `${part.name} `, h("strong", {}, count(sums[n])))),
      ),
    ),
    bars({ rows, parts, text: count, label: "Verdict" }),
    dataTable("Children by verdict", () => [
      ["task", ...parts.map((p) => p.name)],
      ...rows.map((r) => [r.name, ...r.values]),
    ]),
  );
}
