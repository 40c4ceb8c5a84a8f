/* Layers that models have in common. */

import { bdi, h, swatch } from "../base/dom.js";
import { compact, counted } from "../base/numbers.js";
import { taskColour } from "../base/theme.js";
import { Heatmap } from "../charts/heatmap.js";

/** @type {Section} */
export const sharing = {
  id: "sharing",
  name: "Sharing",
  title: "Who shares layers",
  how:
    "A cell counts the layers that the models of two tasks have in common; on the diagonal stand all " +
    "layers of a model. Blocks along the diagonal are families.",
  fill,
};

/**
 * @param {Data} data
 * @param {HTMLElement} body
 */
function fill(data, body) {
  const ready = data.retained.filter((path) => path >= 0).length;
  if (ready < 2) {
    body.append(
      h(
        "p",
        { class: "none" },
        ready ? "Only one task has a model yet: there is nobody to share with." : "No task has a model yet.",
      ),
    );
    return;
  }
  const most = Math.max(1, ...data.sharing.map((line, a) => Math.max(0, ...line.filter((_, b) => a !== b))));
  const name = (/** @type {number} */ task) => data.tasks[task].name;
  const matrix = new Heatmap({
    label: "Layers that the models of two tasks have in common",
    cell: (a, b) => {
      const shared = data.sharing[a][b];
      return {
        value: a === b ? null : shared / most,
        text: String(shared),
        told: a === b ? `${counted(shared, "layer")} in its model` : `${counted(shared, "layer")} in common`,
      };
    },
    most: data.tasks.length > 24 ? 1180 : 640,
    rows: () => [
      ["task", ...data.order.map(name)],
      ...data.order.map((a) => [name(a), ...data.order.map((b) => data.sharing[a][b])]),
    ],
  }).box;
  const lists = [alikeList(data), reusedList(data)];
  body.append(
    data.tasks.length > 24
      ? h("div", { class: "stack" }, matrix, h("div", { class: "two" }, lists))
      : h("div", { class: "matrix" }, matrix, h("div", { class: "stack" }, lists)),
  );
}

/**
 * Pairs of tasks whose models have most in common.
 * @param {Data} data
 */
function alikeList(data) {
  /** @type {{ a: number, b: number, shared: number }[]} */
  const pairs = [];
  data.sharing.forEach((line, a) =>
    line.forEach((shared, b) => {
      if (b > a && shared) pairs.push({ a, b, shared });
    }),
  );
  pairs.sort((x, y) => y.shared - x.shared || x.a - y.a || x.b - y.b);
  const found = pairs.slice(0, 6);
  return h(
    "div",
    {},
    h("h3", {}, "Most in common"),
    found.length
      ? h(
          "ul",
          { class: "flows" },
          found.map(({ a, b, shared }) =>
            h(
              "li",
              {},
              h("span", {}, bdi(data.tasks[a].name), " and ", bdi(data.tasks[b].name)),
              h("span", { class: "value" }, counted(shared, "layer")),
            ),
          ),
        )
      : h("p", { class: "small" }, "No two models share a layer."),
  );
}

/**
 * Layers with most users.
 * @param {Data} data
 */
function reusedList(data) {
  const users = new Map();
  for (const path of data.retained)
    for (const layer of data.layersOf(path) || []) if (layer >= 0) users.set(layer, (users.get(layer) || 0) + 1);
  const found = [...users]
    .filter(([, n]) => n > 1)
    .sort((x, y) => y[1] - x[1] || x[0] - y[0])
    .slice(0, 6);
  return found.length
    ? h(
        "div",
        {},
        h("h3", {}, "Most used layers"),
        h(
          "ul",
          { class: "flows" },
          found.map(([layer, n]) =>
            h(
              "li",
              {},
              h(
                "span",
                {},
                swatch(taskColour(data.by(layer))),
                ` ${data.slots[data.layers.slot[layer]]} `,
                h("span", { class: "small" }, "of ", bdi(data.madeBy(layer))),
              ),
              h("span", { class: "value" }, `${counted(n, "task")} · ${compact(data.layers.parameters[layer])}`),
            ),
          ),
        ),
      )
    : null;
}
