/* The whole system over task iterations. */

import { h, s } from "../base/dom.js";
import { NOTHING, compact, count, counted, duration, known, percent } from "../base/numbers.js";
import { dataTable } from "../base/table.js";
import { taskColour, theme } from "../base/theme.js";
import { ticks, timeTicks } from "../base/ticks.js";
import { mark } from "../base/tip.js";
import { axes, pathOf } from "../charts/axes.js";
import { chart } from "../charts/chart.js";

/** @type {Section} */
export const progress = {
  id: "progress",
  name: "Progress",
  title: "Over task iterations",
  how:
    "From left to right, one task iteration after the other: how large and how costly the whole system " +
    "was when it ended. A dot has the colour of the task that was evolved.",
  fill,
};

/**
 * @param {Data} data
 * @param {HTMLElement} body
 */
function fill(data, body) {
  const rows = data.progress;
  if (!rows.length) {
    body.append(
      h("p", { class: "none" }, "No task iteration has ended yet, or the system is older than their records."),
    );
    return;
  }
  const grid = h(
    "div",
    { class: "grid", css: { "--least": "min(100%, 420px)" } },
    overTime(data, "Parameters per task", "parameters_per_task", (v) => compact(v), count),
    overTime(
      data,
      "FLOPs for a prediction",
      "flops_per_task",
      (v) => compact(v),
      (v) => compact(v),
    ),
    overTime(data, "Computing so far", "seconds", duration, duration, timeTicks),
  );
  body.append(
    grid,
    dataTable("The system after each task iteration", () => [
      ["#", "task", "iteration", "mean validation %", "mean test %", "parameters per task", "FLOPs per task", "time"],
      ...rows.map((r, n) => [
        n + 1,
        data.tasks[r.task]?.name ?? NOTHING,
        r.iteration + 1,
        percent(r.mean_validation_accuracy),
        percent(r.mean_test_accuracy),
        count(r.parameters_per_task),
        count(r.flops_per_task),
        duration(r.seconds),
      ]),
    ]),
  );
}

/**
 * @param {Data} data
 * @param {string} title
 * @param {"parameters_per_task" | "flops_per_task" | "seconds"} column
 * @param {(value: number) => string} text on the axis
 * @param {(value: number) => string} full
 * @param {typeof ticks} divide
 */
function overTime(data, title, column, text, full, divide = ticks) {
  const points = data.progress.flatMap((r, n) => {
    const value = r[column];
    return known(value) ? [{ place: n + 1, value, r }] : [];
  });
  if (!points.length)
    return h("figure", {}, h("figcaption", {}, h("h3", {}, title)), h("p", { class: "none" }, "Not recorded."));
  const values = points.map((one) => one.value),
    low = Math.min(...values),
    high = Math.max(...values);
  // What hardly changes is a flat line, and its ticks have different texts.
  const spare = Math.max((high - low) * 0.08, Math.abs(high) * 0.02) || 1;
  const number = data.progress.length;
  return chart({
    title,
    note: `now ${full(values[values.length - 1])}`,
    height: 190,
    label: `${title} over ${counted(number, "task iteration")}: from ${full(values[0])} to ${full(values[values.length - 1])}`,
    draw: (svg, width, height) => {
      const range = { low: low >= 0 ? Math.max(0, low - spare) : low - spare, high: high + spare };
      const scale = axes(svg, width, height, {
        left: 58,
        right: 12,
        x: {
          low: 1,
          high: Math.max(2, number),
          ticks: ticks(1, number, 6).filter(Number.isInteger).concat(1),
          text: String,
        },
        y: { ...range, ticks: divide(range.low, range.high, 4), text },
      });
      svg.append(
        s("path", {
          d: pathOf(points.map(({ place: x, value: y }) => [scale.x(x), scale.y(y)])),
          fill: "none",
          stroke: theme.colours.faint,
          "stroke-width": 1.4,
        }),
      );
      const radius = number > 150 ? 2 : number > 60 ? 3 : 4;
      for (const { place: x, value: y, r } of points) {
        svg.append(
          mark(
            s("circle", { cx: scale.x(x), cy: scale.y(y), r: radius, fill: taskColour(r.task) }),
            `Task iteration ${x}: ${data.tasks[r.task]?.name ?? ""}`,
            [full(y), r.tasks ? counted(r.tasks, "task") : ""],
          ),
        );
      }
    },
  });
}
