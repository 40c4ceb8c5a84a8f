/* Learning curves with the gap to the test split. */

import { h, named, s } from "../base/dom.js";
import { counted, gapText, known, percent } from "../base/numbers.js";
import { dataTable } from "../base/table.js";
import { taskColour, theme } from "../base/theme.js";
import { ticks } from "../base/ticks.js";
import { mark } from "../base/tip.js";
import { axes, pathOf } from "../charts/axes.js";
import { chart } from "../charts/chart.js";
import { some } from "../charts/some.js";

/** @type {Section} */
export const learning = {
  id: "learning",
  name: "Learning",
  title: "Learning curves",
  how:
    "Validation accuracy after each training cycle, along the model’s ancestors of its own task. The " +
    "cross is the selected cycle, the ring its test accuracy; the dotted line between them is the gap.",
  fill,
};

/**
 * @param {Data} data
 * @param {HTMLElement} body
 */
function fill(data, body) {
  if (!data.learning.length) {
    body.append(h("p", { class: "none" }, "No accuracies of training cycles are recorded."));
    return;
  }
  const range = rangeOf(data);
  const grid = h("div", { class: "grid", css: { "--least": "235px", "--phone": "148px" } });
  body.append(
    some("learning curves", data.learning, 24, (one) => curve(data, one, range), grid),
    dataTable("Learning curves", () => [
      ["task", "cycle", "validation accuracy", "test accuracy"],
      ...data.learning.flatMap((one) =>
        one.accuracies.map((value, n) => [
          data.tasks[one.task].name,
          n + 1,
          percent(value),
          n === one.selected ? percent(one.test_accuracy) : "",
        ]),
      ),
    ]),
  );
}

/**
 * One scale for all curves, so that they can be compared.
 * @param {Data} data
 */
function rangeOf(data) {
  const all = data.learning.flatMap((one) => [...one.accuracies, one.test_accuracy].filter(known));
  const low = Math.min(...all),
    high = Math.max(...all),
    spare = Math.max(0.005, (high - low) * 0.08);
  return { low: Math.max(-0.002, low - spare), high: Math.min(1.002, high + spare) };
}

/**
 * @param {Data} data
 * @param {LearningCurve} curve
 * @param {{ low: number, high: number }} range
 */
function curve(data, { task, accuracies, starts, selected, test_accuracy: test }, range) {
  const last = accuracies.length;
  const place = selected ?? last - 1,
    chosen = accuracies[place];
  return chart({
    title: named(taskColour(task), data.tasks[task].name),
    note: known(test) && known(chosen) ? `gap ${gapText(chosen, test)}` : "",
    label: `Learning curve of ${data.tasks[task].name}: ${counted(last, "validation")}, selected at ${percent(chosen, 1)}\u00a0%${known(test) ? `, test ${percent(test, 1)}\u00a0%` : ""}`,
    height: 128,
    draw: (svg, width, height) => {
      const scale = axes(svg, width, height, {
        left: 36,
        right: 12,
        bottom: 22,
        x: {
          low: 1,
          high: Math.max(2, last),
          ticks: [1, last].filter((v, n, a) => a.indexOf(v) === n),
          text: (v) => (v === last ? counted(v, "cycle") : String(v)),
        },
        y: { ...range, ticks: ticks(range.low, range.high, 3), text: (v) => String(+(100 * v).toFixed(1)) },
      });
      for (const start of starts.slice(1))
        svg.append(
          s("line", { class: "gridline", x1: scale.x(start + 0.5), x2: scale.x(start + 0.5), y1: 8, y2: height - 22 }),
        );
      const colour = taskColour(task),
        end = scale.x(place + 1);
      svg.append(
        s("path", {
          d: pathOf(accuracies.flatMap((v, n) => (known(v) ? [[scale.x(n + 1), scale.y(v)]] : []))),
          fill: "none",
          stroke: colour,
          "stroke-width": 1.8,
        }),
      );
      if (!known(chosen)) return;
      const y = scale.y(chosen);
      if (known(test))
        svg.append(
          s("line", {
            x1: end,
            x2: end,
            y1: y,
            y2: scale.y(test),
            stroke: colour,
            "stroke-width": 1.6,
            "stroke-dasharray": "2 3",
          }),
          mark(
            s("circle", {
              cx: end,
              cy: scale.y(test),
              r: 4,
              fill: theme.colours.ground,
              stroke: colour,
              "stroke-width": 2,
            }),
            "test",
            [`${percent(test)}\u00a0%`],
          ),
        );
      svg.append(
        mark(
          s("path", { d: `M${end - 5} ${y}h10M${end} ${y - 5}v10`, stroke: theme.colours.ink, "stroke-width": 2 }),
          "selected cycle",
          [`validation ${percent(chosen)}\u00a0%`],
        ),
      );
    },
  });
}
