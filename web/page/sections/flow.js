/* Who learned from whom: graph, matrix, teachers. */

import { bdi, h, swatch } from "../base/dom.js";
import { compact, counted, percent } from "../base/numbers.js";
import { listed } from "../base/text.js";
import { taskColour } from "../base/theme.js";
import { Heatmap } from "../charts/heatmap.js";
import { some } from "../charts/some.js";
import { teachers } from "./facts.js";
import { flowGraph } from "./flow_graph.js";

/** @type {Section} */
export const flow = {
  id: "flow",
  name: "Knowledge flow",
  title: "Who learned from whom",
  how:
    "Going up from a task’s model, each ancestor counts for the task that trained it. An arrow runs from " +
    "the ancestor’s task to the learner, in the colour of the ancestor; the matrix has a learner in each " +
    "row.",
  fill,
};

/**
 * @param {Data} data
 * @param {HTMLElement} body
 */
function fill(data, body) {
  const all = data.flow.flat().reduce((a, b) => a + b, 0);
  if (!all) {
    body.append(
      h("p", { class: "none" }, "No model has an ancestor yet other than the root, or the history is not recorded."),
    );
    return;
  }
  const totals = data.flow.map((line) => line.reduce((a, b) => a + b, 0));
  const name = (/** @type {number} */ task) => data.tasks[task].name;
  const many = data.tasks.length > 30;
  const graph = flowGraph(data, totals, many);
  const matrix = new Heatmap({
    label: "Share of each ancestor task among the ancestors of a task’s model",
    cell: (learner, ancestor) => {
      const number = data.flow[learner][ancestor],
        share = totals[learner] ? number / totals[learner] : 0;
      return {
        value: totals[learner] ? share : null,
        text: totals[learner] ? percent(share, 0) : "",
        told: totals[learner]
          ? `${counted(number, "ancestor")} of ${totals[learner]}, ${percent(share, 0)}\u00a0%`
          : "no ancestors but the root",
      };
    },
    most: many ? 1180 : 570,
    rows: () => [
      ["learner", ...data.order.map((t) => `from ${name(t)}`)],
      ...data.order.map((a) => [name(a), ...data.order.map((b) => data.flow[a][b])]),
    ],
  }).box;
  const heading = (/** @type {string} */ text) => h("h3", { css: { margin: "0 0 10px" } }, text);
  const pictures = [
    h("div", {}, heading("Graph"), graph),
    h("div", {}, heading("Matrix: share of ancestors, in percent"), matrix),
  ];
  const list = h(
    "div",
    {},
    heading("Teachers, by the parameters that others use, a layer counted once for each user"),
    teacherList(data),
  );
  body.append(
    many
      ? h("div", { class: "stack" }, h("div", { class: "two" }, pictures[0], list), pictures[1])
      : h("div", { class: "stack" }, h("div", { class: "two" }, pictures), list),
  );
}

/** @param {Data} data */
function teacherList(data) {
  const found = teachers(data);
  if (!found.length) return h("p", { class: "none" }, "No task’s model uses layers that another task trained.");
  const list = h("ul", { class: "flows columns" });
  return some(
    "teachers",
    found,
    12,
    ({ task, learners, parameters }) =>
      h(
        "li",
        {},
        h(
          "span",
          {},
          swatch(taskColour(task)),
          " ",
          h("strong", {}, bdi(data.tasks[task].name)),
          " taught ",
          learners.length > 6
            ? [
                listed(learners.slice(0, 5).map((t) => bdi(data.tasks[t].name))),
                ` and ${learners.length - 5} more`,
              ].flat()
            : listed(learners.map((t) => bdi(data.tasks[t].name))),
        ),
        h("span", { class: "value" }, `${compact(parameters)} parameters`),
      ),
    list,
  );
}
