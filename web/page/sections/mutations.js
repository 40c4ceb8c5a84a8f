/* Learned mutation probabilities: by depth with their line, and histograms. */

import { h, s } from "../base/dom.js";
import { counted, percent } from "../base/numbers.js";
import { dataTable } from "../base/table.js";
import { readable } from "../base/text.js";
import { ticks } from "../base/ticks.js";
import { mark } from "../base/tip.js";
import { axes } from "../charts/axes.js";
import { chart } from "../charts/chart.js";
import { some } from "../charts/some.js";

/** @type {Section} */
export const mutations = {
  id: "mutations",
  name: "Mutations",
  title: "Learned mutation probabilities",
  how:
    "Each model learns how often to mutate what. Above, the mean and the range over models by depth, with " +
    "the least-squares line; below, how many models settled on which probability.",
  fill,
};

/**
 * @param {Data} data
 * @param {HTMLElement} body
 */
function fill(data, body) {
  const found = data.probabilities;
  if (!found || (!found.by_depth.length && !found.histograms.length)) {
    body.append(
      h(
        "p",
        { class: "none" },
        "The models of this system carry no learned mutation probabilities: its method keeps them fixed.",
      ),
    );
    return;
  }
  const depth = found.by_depth.filter((one) => one.points.length > 1);
  const range = found.histograms.reduce((most, one) => Math.max(most, ...one.values), 0.02);
  if (depth.length)
    body.append(
      h(
        "div",
        { class: "grid", css: { "--least": "min(100%, 420px)", "margin-bottom": "36px" } },
        depth.map((one) => byDepth(one)),
        depth.length === 1 && depth[0].fit ? inShort(depth[0].kind, depth[0].points, depth[0].fit.slope) : null,
      ),
    );
  const grid = h("div", { class: "grid", css: { "--least": "210px", "--phone": "148px" } });
  body.append(
    some("mutations", found.histograms, 20, (one) => histogram(one, range), grid),
    dataTable("Learned mutation probabilities", () => [
      ["mutation", "probability", "models"],
      ...found.histograms.flatMap((one) =>
        one.values.map((v, n) => [decision(one.mutation), v, one.counts[n]]).filter(([, , n]) => n),
      ),
    ]),
  );
}

/** @param {ByDepth} found */
function byDepth({ kind, points, fit }) {
  const blocks = points.map((p) => p.block),
    low = Math.min(...blocks),
    high = Math.max(...blocks);
  const top = Math.max(...points.map((p) => p.high)) * 1.08 || 0.3;
  return chart({
    title: `${kind}, by depth`,
    note: fit ? `${(100 * fit.slope).toFixed(2).replace("-", "−")} points a block` : "",
    height: 220,
    label: `Mean learned probability of ${kind} at blocks ${low} to ${high}${fit ? `; the line falls by ${(-100 * fit.slope).toFixed(2)} points a block` : ""}`,
    draw: (svg, width, height) => {
      const scale = axes(svg, width, height, {
        left: 44,
        right: 14,
        x: { low: low - 0.4, high: high + 0.4, ticks: blocks, text: (b) => (b === low ? `block ${b}` : String(b)) },
        y: { low: 0, high: top, ticks: ticks(0, top, 4), text: (v) => `${+(100 * v).toFixed(1)}\u00a0%` },
      });
      if (fit)
        svg.append(
          s("line", {
            x1: scale.x(low),
            x2: scale.x(high),
            y1: scale.y(fit.intercept + fit.slope * low),
            y2: scale.y(fit.intercept + fit.slope * high),
            stroke: "var(--no)",
            "stroke-width": 2,
          }),
        );
      for (const p of points) {
        svg.append(
          s("line", {
            x1: scale.x(p.block),
            x2: scale.x(p.block),
            y1: scale.y(p.low),
            y2: scale.y(p.high),
            stroke: "var(--accepted)",
            "stroke-width": 2,
            opacity: 0.35,
          }),
        );
        svg.append(
          mark(
            s("circle", {
              cx: scale.x(p.block),
              cy: scale.y(p.mean),
              r: points.length > 16 ? 4 : 5,
              fill: "var(--accepted)",
            }),
            `${kind}, block ${p.block}`,
            [
              `mean ${percent(p.mean, 1)}\u00a0%, from ${percent(p.low, 0)} to ${percent(p.high, 0)}\u00a0%`,
              counted(p.count, "model"),
            ],
          ),
        );
      }
    },
  });
}

/**
 * @param {string} kind
 * @param {ByDepth["points"]} points
 * @param {number} slope
 */
function inShort(kind, points, slope) {
  const first = points[0],
    last = points[points.length - 1],
    change = 100 * slope,
    [verb, noun] = kind.split(" ");
  return h(
    "p",
    { css: { "align-self": "center", "max-width": "44ch", margin: "0" } },
    `On average the models ${verb} ${noun} ${first.block} with a probability of ${percent(first.mean, 1)}\u00a0%, and ${noun} ${last.block} with ${percent(last.mean, 1)}\u00a0%. `,
    Math.abs(change) < 0.005
      ? "Depth makes no difference."
      : `Along the line it ${change < 0 ? "falls" : "rises"} by ${Math.abs(change).toFixed(2)} points with each block towards the head.`,
  );
}

/**
 * "hyperparameter:crop_area_min" -> "crop area min", "clone:block" -> "clone block".
 * @param {string} name
 */
const decision = (name) => readable(name.replace("hyperparameter:", "").replaceAll(":", " "));

/**
 * All with the same axis, from 0 to the highest value of any.
 * @param {Histogram} histogram
 * @param {number} range
 */
function histogram({ mutation, values, counts }, range) {
  const most = Math.max(...counts, 1),
    all = counts.reduce((a, b) => a + b, 0);
  const mean = values.reduce((sum, v, n) => sum + v * counts[n], 0) / (all || 1);
  return chart({
    title: decision(mutation),
    note: `mean ${percent(mean, 0)}\u00a0%`,
    height: 88,
    label: `${decision(mutation)}: mean learned probability ${percent(mean, 1)}\u00a0% over ${counted(all, "model")}`,
    draw: (svg, width, height) => {
      const floor = height - 20,
        steps = Math.max(1, Math.round(range / 0.02)),
        per = width / (steps + 1);
      const x = (/** @type {number} */ v) => per / 2 + (v / range) * (width - per);
      values.forEach((value, n) => {
        if (!counts[n]) return;
        const tall = (counts[n] / most) * (floor - 6);
        svg.append(
          mark(
            s("rect", {
              x: x(value) - per * 0.43,
              y: floor - tall,
              width: Math.max(2, per * 0.86),
              height: tall,
              fill: "var(--accepted)",
              rx: 1,
            }),
            decision(mutation),
            [`probability ${percent(value, 0)}\u00a0%: ${counted(counts[n], "model")}`],
          ),
        );
      });
      svg.append(
        s("line", { class: "axis", x1: 0, x2: width, y1: floor, y2: floor }),
        s("text", { x: 0, y: height - 4 }, "0 %"),
        s("text", { x: width, y: height - 4, "text-anchor": "end" }, `${percent(range, 0)}\u00a0%`),
      );
    },
  });
}
