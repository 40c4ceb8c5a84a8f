/* Hyperparameters of the retained models, and their schedules along lineages. */

import { clear, h, s, select } from "../base/dom.js";
import { count, counted } from "../base/numbers.js";
import { dataTable } from "../base/table.js";
import { readable } from "../base/text.js";
import { taskColour } from "../base/theme.js";
import { ticks } from "../base/ticks.js";
import { mark } from "../base/tip.js";
import { axes, pathOf } from "../charts/axes.js";
import { chart } from "../charts/chart.js";
import { state } from "../model/state.js";

/** @type {Section} */
export const settings = {
  id: "settings",
  name: "Hyperparameters",
  title: "Hyperparameters that won",
  how: "Bars count the retained models that use a value; a dot marks the value evolution began with.",
  fill,
};

/** @type {string | null} as the reader chose */
let scheduleShown = null;

/**
 * @param {Data} data
 * @param {HTMLElement} body
 */
function fill(data, body) {
  const { distributions, schedules } = data.settings;
  if (!distributions.length) {
    body.append(h("p", { class: "none" }, "No retained model yet has hyperparameters."));
    return;
  }
  const grid = h(
    "div",
    { class: "grid", css: { "--least": "210px", "--phone": "148px" } },
    distributions.map((one) => distribution(one)),
  );
  body.append(
    grid,
    dataTable("Values of hyperparameters among the retained models", () => [
      ["hyperparameter", "value", "models"],
      ...distributions.flatMap((d) => d.values.map((v, n) => [readable(d.name), v, d.counts[n]])),
    ]),
  );
  const moving = schedules.filter((one) => one.lines.some((line) => line.length > 1));
  if (!moving.length) return;
  const box = h("div");
  const show = (/** @type {string} */ name) => {
    scheduleShown = name;
    clear(box).append(schedule(data, moving.find((one) => one.name === name) ?? moving[0]));
  };
  const has = (/** @type {string | null} */ name) => moving.some((one) => one.name === name);
  const first =
    scheduleShown && has(scheduleShown) ? scheduleShown : has("learning_rate") ? "learning_rate" : moving[0].name;
  body.append(
    h("h3", { css: { margin: "40px 0 10px" } }, "Schedules along the lineages"),
    h(
      "div",
      { class: "controls" },
      select(
        "Hyperparameter",
        moving.map((one) => [one.name, readable(one.name)]),
        first,
        show,
      ),
      h(
        "span",
        {},
        "The values along each model’s lineage: the schedule that evolution found. A line is the lineage of one retained model, in the colour of its task; choose a task to see it alone.",
      ),
    ),
    box,
  );
  show(first);
}

/** @param {Distribution} distribution */
function distribution({ name, values, counts, default: start }) {
  const most = Math.max(...counts, 1),
    all = counts.reduce((a, b) => a + b, 0);
  return chart({
    title: readable(name),
    height: 116,
    label: `${readable(name)}: ${values
      .map((v, n) => (counts[n] ? `${v} in ${counts[n]}` : ""))
      .filter(Boolean)
      .join(", ")} of ${counted(all, "model")}`,
    draw: (svg, width, height) => {
      const per = width / values.length,
        wide = Math.min(34, per * 0.72),
        floor = height - 24;
      const room = Math.max(...values.map((v) => v.length)) * 6.6 + 6,
        every = Math.max(1, Math.ceil(room / per));
      svg.append(s("line", { class: "axis", x1: 0, x2: width, y1: floor, y2: floor }));
      values.forEach((value, n) => {
        const x = (n + 0.5) * per,
          tall = (counts[n] / most) * (floor - 20);
        const best = counts[n] === most;
        if (counts[n])
          svg.append(
            mark(
              s("rect", {
                x: x - wide / 2,
                y: floor - tall,
                width: wide,
                height: tall,
                rx: 2,
                fill: best ? "var(--accepted)" : "color-mix(in srgb, var(--accepted) 48%, var(--ground))",
              }),
              `${readable(name)} ${value}`,
              [`${counted(counts[n], "model")} of ${all}`],
            ),
          );
        if (counts[n] && per > 15)
          svg.append(
            s(
              "text",
              { x, y: floor - tall - 5, "text-anchor": "middle", class: best ? "strong" : "" },
              String(counts[n]),
            ),
          );
        if (n === start)
          svg.append(
            mark(
              s("circle", { cx: x, cy: floor, r: 4, fill: "var(--no)", stroke: "var(--ground)", "stroke-width": 1.5 }),
              "where evolution began",
              [value],
            ),
          );
        if (n % every === 0)
          svg.append(
            s(
              "text",
              {
                x: Math.max(value.length * 3.3, Math.min(width - value.length * 3.3, x)),
                y: height - 6,
                "text-anchor": "middle",
              },
              value,
            ),
          );
      });
    },
  });
}

/**
 * @param {Data} data
 * @param {Schedule} schedule
 */
function schedule(data, { name, values, lines }) {
  return chart({
    chosen: true,
    label: `Schedules of the ${readable(name)} along each lineage`,
    height: 230,
    draw: (svg, width, height) => {
      const used = lines.flat().map(([, v]) => v),
        bottom = Math.max(0, Math.min(...used) - 1),
        top = Math.min(values.length - 1, Math.max(...used) + 1);
      const left = Math.min(110, Math.max(...values.map((v) => v.length)) * 7 + 18);
      const steps = lines.flat().map(([step]) => step);
      const high = Math.max(1, data.count - 1, ...steps);
      const scale = axes(svg, width, height, {
        left,
        right: 12,
        x: { low: 0, high, ticks: ticks(0, high, 6), text: (v) => (v ? count(v) : "child 0") },
        y: {
          low: bottom - 0.5,
          high: top + 0.5,
          ticks: values.map((_, n) => n).filter((n) => n >= bottom && n <= top),
          text: (n) => values[n],
        },
      });
      const chosen = state.chosen?.kind === "task" ? state.chosen.task : null;
      const shown = lines.map((_, task) => task).filter((task) => lines[task].length);
      const reach = Math.min(0.62, shown.length * 0.06);
      shown.forEach((task, place) => {
        const shift = shown.length > 1 ? (place / (shown.length - 1) - 0.5) * reach : 0; // so that equal values lie side by side
        /** @type {[x: number, y: number][]} */
        const points = [];
        lines[task].forEach(([step, v], n) => {
          const x = scale.x(Math.max(0, step));
          if (n) points.push([x, scale.y(lines[task][n - 1][1] + shift)]);
          points.push([x, scale.y(v + shift)]);
        });
        const bright = chosen === null || chosen === task;
        const end = points[points.length - 1];
        svg.append(
          mark(
            s(
              "g",
              { opacity: bright ? 0.92 : 0.12 },
              s("path", { d: pathOf(points), fill: "none", stroke: "transparent", "stroke-width": 9 }),
              s("path", {
                d: pathOf(points),
                fill: "none",
                stroke: taskColour(task),
                "stroke-width": chosen === task ? 3 : shown.length > 30 ? 1.1 : 1.9,
              }),
              s("circle", { cx: end[0], cy: end[1], r: shown.length > 30 ? 2 : 3.5, fill: taskColour(task) }),
            ),
            data.tasks[task].name,
            [`${readable(name)}: ${values[lines[task][0][1]]} → ${values[lines[task][lines[task].length - 1][1]]}`],
          ),
        );
      });
    },
    rows: () => [
      ["task", "child", readable(name)],
      ...lines.flatMap((line, task) =>
        line.map(([step, v]) => [data.tasks[task].name, step < 0 ? "start" : step + 1, values[v]]),
      ),
    ],
  });
}
