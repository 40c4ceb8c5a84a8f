/* The table of tasks, which sorts. */

import { $, bdi, clear, h, swatch } from "../base/dom.js";
import { NOTHING, compact, count, difference, duration, gapText, known, percent, scored } from "../base/numbers.js";
import { taskColour } from "../base/theme.js";
import { choose, same, state } from "../model/state.js";
import { spentFlops } from "./facts.js";

/** @type {Section} */
export const tasks = {
  id: "tasks",
  name: "Tasks",
  title: "Tasks",
  how:
    "One row a task. Accounted parameters are a model’s own share: each layer divided by the tasks that " +
    "use it. Press a heading to sort, a name to find the task in the network.",
  themed: true,
  fill,
};

/** @type {[column: Column, heading: string, text: (value: number | null) => string][]} */
const COLUMNS = [
  ["validation_accuracy", "val %", (v) => percent(v)],
  ["test_accuracy", "test %", (v) => percent(v)],
  ["gap", "gap", (v) => gapText(v, 0)],
  ["score", "score", scored],
  ["parameters", "parameters", count],
  ["accounted_parameters", "accounted", count],
  [
    "flops",
    "MFLOPs",
    (v) =>
      known(v) ? (v / 1e6).toLocaleString("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 }) : NOTHING,
  ],
  ["num_blocks", "blocks", count],
  ["image_size", "px", count],
  ["classes", "classes", count],
  ["train_examples", "images", count],
  ["iterations", "iterations", count],
];

/** @typedef {"gap" | "validation_accuracy" | "test_accuracy" | "score" | "parameters" | "accounted_parameters" | "flops" | "num_blocks" | "image_size" | "classes" | "train_examples" | "iterations"} Column */

/** @type {{ column: Column | "name" | null, up: boolean }} as the reader chose */
let sorting = { column: null, up: false };

/**
 * @param {Task} task
 * @param {Column} column
 */
const valueOf = (task, column) =>
  column === "gap" ? difference(task.validation_accuracy, task.test_accuracy) : task[column];

/**
 * @param {Data} data
 * @param {HTMLElement} body
 */
function fill(data, body) {
  if (!data.tasks.length) {
    body.append(h("p", { class: "none" }, "The system has no tasks yet."));
    return;
  }
  const rows = data.tasks.map((task, index) => ({ task, index }));
  const tbody = h("tbody");
  /** @type {[column: Column | "name", heading: string][]} */
  const heads = [
    ["name", "task"],
    ...COLUMNS.map(([column, text]) => /** @type {[Column, string]} */ ([column, text])),
  ];
  const head = h(
    "tr",
    {},
    heads.map(([column, text]) =>
      h(
        "th",
        { scope: "col", "data-column": column },
        h("button", { type: "button", onclick: () => sort(column) }, text),
      ),
    ),
  );
  const sort = (/** @type {Column | "name"} */ column) => {
    sorting = { column, up: sorting.column === column ? !sorting.up : column === "name" };
    arrange();
  };
  const arrange = () => {
    const { column, up } = sorting;
    const sorted =
      column === null
        ? rows
        : [...rows].sort((a, b) => {
            if (column === "name") return (up ? 1 : -1) * a.task.name.localeCompare(b.task.name);
            const x = valueOf(a.task, column),
              y = valueOf(b.task, column);
            if (!known(x) || !known(y)) return Number(known(y)) - Number(known(x));
            return up ? x - y : y - x;
          });
    for (const th of head.children) {
      if (th.getAttribute("data-column") === column) th.setAttribute("aria-sort", up ? "ascending" : "descending");
      else th.removeAttribute("aria-sort");
    }
    clear(tbody).append(...sorted.map((one) => line(one)));
  };
  arrange();
  body.append(
    h(
      "div",
      {
        class: `scroll ${rows.length > 30 ? "tall" : ""}`,
        tabindex: "0",
        role: "region",
        "aria-label": "Table of tasks",
      },
      h("table", {}, h("caption", { class: "unseen" }, "Tasks and their models"), h("thead", {}, head), tbody),
    ),
  );
  body.append(totalsList(data));
}

/** @param {{ task: Task, index: number }} row */
function line({ task, index }) {
  const go = () => {
    if (!same(state.chosen, { kind: "task", task: index })) choose({ kind: "task", task: index });
    $("#network").scrollIntoView();
  };
  return h(
    "tr",
    {},
    h(
      "th",
      { scope: "row" },
      h(
        "span",
        { class: "named" },
        swatch(taskColour(index)),
        h("button", { type: "button", class: "link", onclick: go, title: task.name }, bdi(task.name)),
      ),
      task.by ? h("span", { class: "tag" }, bdi(task.by)) : null,
      task.private ? h("span", { class: "tag" }, "private") : null,
      task.active ? h("span", { class: "tag" }, "evolving") : null,
    ),
    COLUMNS.map(([column, , text]) => {
      const shown = text(valueOf(task, column));
      const meter =
        column === "test_accuracy" && known(task.test_accuracy)
          ? h(
              "span",
              { class: "meter", "aria-hidden": "true" },
              h("span", { colour: taskColour(index), css: { width: `${100 * task.test_accuracy}%` } }),
            )
          : null;
      return h("td", {}, meter, shown);
    }),
  );
}

/**
 * All totals, as `munet status` has them.
 * @param {Data} data
 */
function totalsList(data) {
  const t = data.totals;
  const all = [
    ["Mean test accuracy", `${percent(t.mean_test_accuracy)}\u00a0%`],
    ["Mean validation accuracy", `${percent(t.mean_validation_accuracy)}\u00a0%`],
    ["Unique parameters", count(t.unique_parameters)],
    ["Parameters per task", count(t.parameters_per_task)],
    ["FLOPs for a prediction", compact(t.flops_per_task)],
    ["Children sampled", count(t.children)],
    ["Children accepted", count(t.accepted)],
    ["Images trained on", compact(t.samples)],
    ["Training time", duration(t.train_seconds)],
    ["Validation time", duration(t.validation_seconds)],
    ["FLOPs spent", compact(spentFlops(data))],
    ["Runs", count(t.runs)],
  ];
  return h(
    "dl",
    { class: "totals" },
    all.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text))),
  );
}
