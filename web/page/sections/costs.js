/* Where time, compute and parameters went. */

import { choice, clear, h, swatch } from "../base/dom.js";
import { compact, count, duration } from "../base/numbers.js";
import { dataTable } from "../base/table.js";
import { bars } from "../charts/bars.js";
import { ROOT } from "../model/data.js";

/** @type {Section} */
export const costs = {
  id: "costs",
  name: "Costs",
  title: "Where time, compute and parameters went",
  how:
    "One bar a task, longest first. Parameters are counted once, for the task that trained them; the " +
    "root’s are those that some model still uses.",
  themed: true,
  fill,
};

/** @type {string | null} as the reader chose */
let costShown = null;

/**
 * @typedef {object} Kind
 * @property {string} label
 * @property {[name: string, colour?: Colour][]} parts
 * @property {[task: number, values: Maybe<number>[]][]} table a value for each part
 * @property {(value: number) => string} text
 */

/**
 * @param {Data} data
 * @param {HTMLElement} body
 */
function fill(data, body) {
  const found = data.costs;
  /** @type {Record<string, Kind>} */
  const kinds = {
    time: {
      label: "Time",
      parts: [
        ["training", "var(--accepted)"],
        ["validation", "var(--no)"],
        ["other", "var(--faint)"],
      ],
      table: found.seconds.map((v, task) => [task, v]),
      text: duration,
    },
    flops: {
      label: "FLOPs",
      parts: [
        ["training", "var(--accepted)"],
        ["validation", "var(--no)"],
      ],
      table: found.flops.map((v, task) => [task, v]),
      text: (v) => compact(v),
    },
    parameters: {
      label: "Parameters",
      parts: [["trained by it, in use"]],
      table: found.parameters.map(([task, v]) => [task, [v]]),
      text: (v) => compact(v),
    },
  };
  const box = h("div");
  const show = (/** @type {string} */ name) => {
    costShown = name;
    const kind = kinds[name],
      parts = kind.parts.map(([text, colour]) => ({ name: text, colour }));
    const sum = (/** @type {Maybe<number>[]} */ values) =>
      values.reduce((/** @type {number} */ a, b) => a + (b || 0), 0);
    const rows = kind.table
      .filter(([, values]) => sum(values) > 0)
      .sort((a, b) => sum(b[1]) - sum(a[1]))
      .map(([task, values]) => ({
        task,
        name: task === ROOT ? "the root" : data.tasks[task].name,
        values: values.map((v) => v || 0),
      }));
    clear(box);
    if (!rows.length) {
      box.append(h("p", { class: "none" }, "Not recorded."));
      return;
    }
    const sums = parts.map((_, n) => rows.reduce((total, r) => total + r.values[n], 0));
    box.append(
      parts.length > 1
        ? h(
            "div",
            { class: "controls" },
            h(
              "ul",
              { class: "key" },
              parts.map((part, n) =>
                h("li", {}, swatch(part.colour ?? ""), `${part.name} `, h("strong", {}, kind.text(sums[n]))),
              ),
            ),
          )
        : "",
      bars({ rows, parts, text: kind.text, label: kind.label }),
      dataTable(`${kind.label} by task`, () => [
        ["task", ...parts.map((p) => p.name)],
        ...rows.map((r) => [r.name, ...r.values.map((v) => (name === "time" ? (v ?? 0).toFixed(1) : count(v)))]),
      ]),
    );
  };
  const first = costShown ?? (found.seconds.flat().some((v) => (v ?? 0) > 0) ? "time" : "parameters");
  body.append(
    h(
      "div",
      { class: "controls" },
      choice(
        "What to show",
        Object.entries(kinds).map(([value, kind]) => [value, kind.label]),
        first,
        show,
      ),
    ),
    box,
  );
  show(first);
}
