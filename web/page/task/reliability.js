/* How often a model is right that says it is so sure. */

import { h, s } from "../base/dom.js";
import { count, counted, percent } from "../base/numbers.js";
import { theme } from "../base/theme.js";
import { mark } from "../base/tip.js";
import { axes, pathOf } from "../charts/axes.js";
import { chart } from "../charts/chart.js";

const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

/**
 * @param {SplitSeen} found
 * @param {"validation" | "test"} split
 * @param {Colour} colour
 */
export function reliability({ reliability: bins, calibration_error: error, examples }, split, colour) {
  const text = (/** @type {number} */ v) => String(Math.round(100 * v));
  const most = Math.max(...bins.map(([n]) => n));
  const figure = chart({
    title: "Right, % by confidence, %",
    note: `off by ${percent(error, 1)} points`,
    height: (width) => Math.min(360, width),
    label: `Share of ${split} images that is right, by confidence`,
    draw: (svg, width, height) => {
      const axis = { low: 0, high: 1, ticks: TICKS, text };
      const { x, y } = axes(svg, width, height, { left: 34, right: 12, x: axis, y: axis });
      const line = (/** @type {[number, number][]} */ points, /** @type {Record<string, any>} */ look) =>
        svg.append(s("path", { d: pathOf(points.map(([a, b]) => [x(a), y(b)])), fill: "none", ...look }));
      line(
        [
          [0, 0],
          [1, 1],
        ],
        { stroke: theme.colours.faint, "stroke-dasharray": "4 4" },
      );
      for (const [, sure, , low, high] of bins)
        line(
          [
            [sure, low],
            [sure, high],
          ],
          { stroke: theme.colours.faint, "stroke-width": 1.5 },
        );
      for (const [n, sure, right] of bins)
        svg.append(
          mark(
            s("circle", { cx: x(sure), cy: y(right), r: 3 + 6 * Math.sqrt(n / most), fill: colour }),
            `${percent(sure, 0)}\u00a0% sure`,
            [`${percent(right, 1)}\u00a0% right`, counted(n, `${split} image`)],
          ),
        );
    },
    rows: () => [
      ["mean confidence %", "right %", "from %", "to %", "images"],
      ...bins.map(([n, sure, right, low, high]) => [...[sure, right, low, high].map((v) => percent(v, 1)), count(n)]),
    ],
  });
  return h(
    "div",
    {},
    h("h2", {}, "How sure, how right"),
    h(
      "p",
      { class: "how" },
      `The ${count(examples)} ${split} images by how sure the model is of its answer. On the dashed line it is right as ` +
        "often as it says; below it, it is too sure. A larger dot is more images.",
    ),
    figure,
  );
}
