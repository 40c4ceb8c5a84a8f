/* Each task beside what it would have without the others: its head alone, fine-tuning, other systems. */

import { widthOf } from "../base/canvas.js";
import { bdi, h, named, s } from "../base/dom.js";
import { NOTHING, compact, counted, difference, duration, known, percent } from "../base/numbers.js";
import { shortened } from "../base/text.js";
import { taskColour, theme } from "../base/theme.js";
import { ticks } from "../base/ticks.js";
import { mark } from "../base/tip.js";
import { axes } from "../charts/axes.js";
import { chart } from "../charts/chart.js";

const RETAINED = "retained";
const ROW = 22; // pixels of a task in the chart

/** @type {Section} */
export const ways = {
  id: "ways",
  name: "Against",
  title: "Against the alternatives",
  how:
    "What each task has, beside what else was measured of it: its head alone on layers that it did not train, and, " +
    "where it was run, fine-tuning of every layer. Parameters are those that were trained for it, of a trunk all. The " +
    "time of what a task has, here or in another system, is that of all its children; else that of the one child.",
  themed: true,
  fill,
};

/**
 * @param {Data} data
 * @param {HTMLElement} body
 */
function fill(data, body) {
  const tasks = data.order.filter((task) => wayOf(data, task, RETAINED));
  const others = [...new Set(tasks.flatMap((task) => data.ways[task].map(({ way }) => way)))].filter(
    (way) => way !== RETAINED,
  );
  if (!others.length) {
    body.append(
      h(
        "p",
        { class: "none" },
        "Nothing but the retained models was measured. ",
        h("code", {}, "munet report --beside SYSTEM"),
        " sets what another system has of the same tasks beside it.",
      ),
    );
    return;
  }
  body.append(
    h(
      "ul",
      { class: "flows", css: { "margin-bottom": "26px", "max-width": "76ch" } },
      others.map((way) => gain(data, tasks, way)),
    ),
    chart({
      title: "Validation accuracy, %",
      height: 34 + ROW * tasks.length,
      label: "Validation accuracy of each task, retained and otherwise",
      draw: (svg, width, height) => draw(data, tasks, others, svg, width, height),
    }),
    table(data, tasks, [...others, RETAINED]),
  );
}

/**
 * @param {Data} data
 * @param {number} task
 * @param {string} way
 */
const wayOf = (data, task, way) => data.ways[task]?.find((one) => one.way === way);

/**
 * How much more the tasks have than they would another way.
 * @param {Data} data
 * @param {number[]} tasks
 * @param {string} way
 */
function gain(data, tasks, way) {
  const points = tasks
    .map((task) =>
      difference(wayOf(data, task, RETAINED)?.validation_accuracy, wayOf(data, task, way)?.validation_accuracy),
    )
    .filter(known);
  const mean = points.reduce((a, b) => a + b, 0) / points.length;
  const more = points.filter((gained) => gained > 1e-9).length,
    less = points.filter((gained) => gained < -1e-9).length;
  return h(
    "li",
    {},
    h(
      "span",
      {},
      "beside ",
      bdi(way),
      `, ${counted(points.length, "task")}: ${more} better, ${less} worse, ${points.length - more - less} the same`,
    ),
    h("span", { class: "value" }, `${mean < -5e-5 ? "−" : "+"}${percent(Math.abs(mean))} points on average`),
  );
}

/**
 * A row a task: a dot for what it has, an open shape for each other way.
 * @param {Data} data
 * @param {number[]} tasks
 * @param {string[]} others
 * @param {SVGSVGElement} svg
 * @param {number} width
 * @param {number} height
 */
function draw(data, tasks, others, svg, width, height) {
  const values = tasks.flatMap((task) => data.ways[task].map((way) => way.validation_accuracy)).filter(known);
  const low = Math.max(0, Math.min(...values) - 0.02),
    high = Math.min(1, Math.max(...values) + 0.02);
  const longest = Math.max(...tasks.map((task) => widthOf(data.tasks[task].name)));
  const left = Math.min(longest + 14, width < 600 ? 110 : 220);
  const { x } = axes(svg, width, height, {
    left,
    x: { low, high, ticks: ticks(low, high, 6), text: (v) => String(+(100 * v).toFixed(1)) },
    y: { low: 0, high: 1, ticks: [], text: String },
  });
  tasks.forEach((task, n) => {
    const y = 8 + ROW * (n + 0.5),
      { name } = data.tasks[task];
    const mine = data.ways[task].filter((way) => known(way.validation_accuracy));
    const at = mine.map((way) => x(way.validation_accuracy ?? 0));
    svg.append(
      s("text", { x: left - 10, y: y + 4, "text-anchor": "end" }, shortened(name, left - 12, widthOf)),
      s("line", {
        x1: Math.min(...at),
        x2: Math.max(...at),
        y1: y,
        y2: y,
        stroke: theme.colours.root,
        "stroke-width": 2,
      }),
    );
    // What it has comes last, over the others.
    const order = [...mine].sort((a, b) => Number(a.way === RETAINED) - Number(b.way === RETAINED));
    for (const way of order)
      svg.append(
        mark(shape(others.indexOf(way.way), x(way.validation_accuracy ?? 0), y, taskColour(task)), name, [
          `${way.way}: ${percent(way.validation_accuracy)}\u00a0% validation`,
          `${compact(way.trained)} parameters trained in ${duration(way.seconds)}`,
        ]),
      );
  });
}

/**
 * A full dot for what a task has (-1), an open circle for the first other way, open squares for the rest.
 * @param {number} kind
 * @param {number} x
 * @param {number} y
 * @param {Colour} colour
 */
function shape(kind, x, y, colour) {
  const open = { fill: theme.colours.panel, stroke: colour, "stroke-width": 1.8 };
  if (kind < 0) return s("circle", { cx: x, cy: y, r: 5, fill: colour });
  if (kind === 0) return s("circle", { cx: x, cy: y, r: 5, ...open });
  return s("rect", {
    x: x - 4.5,
    y: y - 4.5,
    width: 9,
    height: 9,
    ...open,
    transform: `rotate(${45 * (kind - 1)} ${x} ${y})`,
  });
}

/**
 * @param {Data} data
 * @param {number[]} tasks
 * @param {string[]} names
 */
function table(data, tasks, names) {
  const svg = (/** @type {number} */ n) =>
    s("svg", { viewBox: "-7 -7 14 14", class: "sign", "aria-hidden": "true" }, shape(n, 0, 0, theme.colours.muted));
  const cells = (/** @type {Alternative | undefined} */ way) => [
    h("td", {}, way ? percent(way.validation_accuracy) : NOTHING),
    h("td", {}, way ? percent(way.test_accuracy) : NOTHING),
    h("td", {}, way ? compact(way.trained) : NOTHING),
    h("td", {}, way ? duration(way.seconds) : NOTHING),
  ];
  const groups = names.map((name, n) =>
    h(
      "th",
      { scope: "colgroup", colspan: 4 },
      svg(name === RETAINED ? -1 : n),
      name === RETAINED ? "what it has" : bdi(name),
    ),
  );
  return h(
    "div",
    {
      class: "scroll tall",
      tabindex: "0",
      role: "region",
      "aria-label": "Each task against the alternatives",
      css: { "margin-top": "18px" },
    },
    h(
      "table",
      { class: "grouped" },
      h("caption", { class: "unseen" }, "Each task against the alternatives"),
      h(
        "thead",
        {},
        h("tr", {}, h("th", { scope: "col" }), groups),
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "task"),
          names.map(() => ["val %", "test %", "trained", "time"].map((text) => h("th", { scope: "col" }, text))),
        ),
      ),
      h(
        "tbody",
        {},
        tasks.map((task) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, named(taskColour(task), data.tasks[task].name)),
            names.map((name) => cells(wayOf(data, task, name))),
          ),
        ),
      ),
    ),
  );
}
