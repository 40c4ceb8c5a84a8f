/* Nothing is forgotten: the accuracy of each task since it was retained. */

import { widthOf } from "../base/canvas.js";
import { h, s } from "../base/dom.js";
import { NOTHING, count, counted, difference, known, percent } from "../base/numbers.js";
import { shortened } from "../base/text.js";
import { taskColour } from "../base/theme.js";
import { apartFrom, movedApart, ticks } from "../base/ticks.js";
import { mark } from "../base/tip.js";
import { axes } from "../charts/axes.js";
import { chart } from "../charts/chart.js";

/** @type {Section} */
export const kept = {
  id: "kept",
  name: "Kept",
  title: "Nothing is forgotten",
  how:
    "Test accuracy of each task from the task iteration that first retained a model of it. A dot is a task iteration of " +
    "its own; between them its model stays the same to the bit, whatever others learn: the id names all of its weights. " +
    "Names that find no room are left out; a dot tells its own, and the table has all.",
  fill,
};

const LINE = 15; // pixels from name to name

/** @typedef {{ place: number, model: string | null, accuracy: number }} Point what a task has from a task iteration on */

/**
 * @param {Data} data
 * @param {HTMLElement} body
 */
function fill(data, body) {
  const lines = data.tasks.map((_, task) => points(data, task)),
    there = data.order.filter((task) => lines[task].length);
  if (!there.length) {
    body.append(h("p", { class: "none" }, "No task iteration with a test accuracy has ended yet."));
    return;
  }
  const last = data.progress.length,
    first = last > 1 ? 1 : 0; // a single task iteration stands at the end, by its name
  const values = there.flatMap((task) => lines[task].map(({ accuracy }) => accuracy));
  const low = Math.max(0, Math.min(...values) - 0.04),
    high = Math.min(1, Math.max(...values) + 0.02);
  const longest = Math.max(...there.map((task) => widthOf(data.tasks[task].name)));
  const words = said(data, lines, there);
  body.append(
    ...(words ? [h("p", {}, words)] : []),
    chart({
      title: "Test accuracy, %",
      note: counted(data.progress.length, "task iteration"),
      height: (width) => (width < 600 ? 260 : Math.min(460, 240 + 6 * there.length)),
      label: "Test accuracy of each task over task iterations",
      draw: (svg, width, height) => {
        const right = Math.min(longest + 16, width < 600 ? 96 : 180);
        const { x, y } = axes(svg, width, height, {
          right,
          x: {
            low: first,
            high: last,
            ticks: [1, ...ticks(first, last, 8).filter((v) => v > 1 && Number.isInteger(v))],
            text: String,
          },
          y: { low, high, ticks: ticks(low, high, 5), text: (v) => String(+(100 * v).toFixed(1)) },
        });
        for (const task of there) svg.append(...line(data, task, lines[task], last, x, y));
        const ends = there.map((task) => ({ task, at: y(lines[task][lines[task].length - 1].accuracy) }));
        svg.append(...named(data, ends, height, width - right, right - 14));
      },
      rows: () => [
        ["task", "task iteration", "validation %", "test %", "model"],
        ...data.progress.map((row, n) => [
          data.tasks[row.task]?.name ?? NOTHING,
          n + 1,
          percent(row.validation_accuracy),
          percent(row.test_accuracy),
          row.model ?? NOTHING,
        ]),
      ],
    }),
  );
}

/**
 * What a task had after each task iteration of its own, and what it has now where that came another way.
 * @param {Data} data
 * @param {number} task
 * @returns {Point[]}
 */
function points(data, task) {
  const found = data.progress.flatMap((row, n) =>
    row.task === task && known(row.test_accuracy)
      ? [{ place: n + 1, model: row.model, accuracy: row.test_accuracy }]
      : [],
  );
  const { model, test_accuracy } = data.tasks[task];
  if (found.length && model && known(test_accuracy) && found[found.length - 1].model !== model)
    found.push({ place: data.progress.length, model, accuracy: test_accuracy });
  return found;
}

/**
 * The line of a task, level where its model is the same, with its dots.
 * @param {Data} data
 * @param {number} task
 * @param {Point[]} at
 * @param {number} last
 * @param {(value: number) => number} x
 * @param {(value: number) => number} y
 */
function line(data, task, at, last, x, y) {
  const colour = taskColour(task);
  const steps = at.map(({ place, accuracy }, n) => `${n ? "H" : "M"}${x(place)}${n ? "V" : " "}${y(accuracy)}`);
  const look = { fill: "none", stroke: colour, "stroke-width": data.tasks.length > 30 ? 1 : 1.8 };
  const dots = at.map(({ place, model, accuracy }, n) =>
    mark(
      s("circle", { cx: x(place), cy: y(accuracy), r: data.progress.length > 150 ? 2 : 3.5, fill: colour }),
      data.tasks[task].name,
      [
        `${percent(accuracy)}\u00a0% after task iteration ${count(place)}`,
        model === at[n - 1]?.model ? `still model ${model}` : `model ${model ?? NOTHING}`,
      ],
    ),
  );
  return [s("path", { d: `${steps.join("")}H${x(last)}`, ...look }), ...dots];
}

/**
 * The names at the ends of the lines: of all where they fit, moved apart, else of as many as stand where their line ends.
 * @param {Data} data
 * @param {{ task: number, at: number }[]} ends
 * @param {number} height
 * @param {number} x where the lines end
 * @param {number} room for a name
 */
function named(data, ends, height, x, room) {
  const low = 9,
    high = height - 24; // above what stands on the axis
  const fits = ends.length * LINE <= high - low;
  const shown = fits ? ends : apartFrom(ends, (end) => end.at, 0, height, LINE);
  const places = fits
    ? movedApart(
        ends.map((end) => end.at),
        low,
        high,
        LINE,
      )
    : shown.map((end) => end.at);
  return shown.flatMap(({ task, at }, n) => {
    const fill = taskColour(task);
    const name = shortened(data.tasks[task].name, room, widthOf);
    const text = s("text", { x: x + 12, y: places[n] + 4, css: { fill } }, name);
    if (Math.abs(places[n] - at) < 1) return [text];
    return [s("line", { x1: x, y1: at, x2: x + 10, y2: places[n], stroke: fill, "stroke-width": 1 }), text];
  });
}

/**
 * What the lines come to, and what measuring them again for this page gave.
 * @param {Data} data
 * @param {Point[][]} lines
 * @param {number[]} there
 */
function said(data, lines, there) {
  const others = there.filter((task) => lines[task][lines[task].length - 1].place < data.progress.length).length;
  const apart = there.flatMap((task) => {
    const test = data.seen(task)?.test;
    const off = test ? difference(test.correct / test.examples, data.tasks[task].test_accuracy) : NaN;
    return known(off) ? [Math.abs(off)] : [];
  });
  const same = apart.filter((off) => off < 1e-9).length;
  const waited = others
    ? `${counted(others, "task")} ${others === 1 ? "was" : "were"} kept while others went on learning. `
    : "";
  if (!apart.length) return waited;
  return (
    `${waited}Measured again for this page, ${same} of ${counted(apart.length, "task")} ${same === 1 ? "has" : "have"} ` +
    `to the image the test accuracy of when ${same === 1 ? "it was" : "they were"} retained` +
    (same < apart.length
      ? `; the others are up to ${percent(Math.max(...apart))} points off, as another device or number format makes them.`
      : ".")
  );
}
