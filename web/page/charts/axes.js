/* Axes of a chart, and lines on them. */

import { widthOf } from "../base/canvas.js";
import { s } from "../base/dom.js";

/** @typedef {{ low: number, high: number, ticks: number[], text: (value: number) => string }} Axis */

/**
 * Axes with ticks; gives the scales, from values to pixels.
 * @param {SVGSVGElement} svg
 * @param {number} width
 * @param {number} height
 * @param {{ left?: number, right?: number, top?: number, bottom?: number, x: Axis, y: Axis }} plan margins in pixels
 */
export function axes(svg, width, height, { left = 40, right = 10, top = 8, bottom = 24, x, y }) {
  const toX = (/** @type {number} */ v) => left + ((v - x.low) / (x.high - x.low || 1)) * (width - left - right);
  const toY = (/** @type {number} */ v) =>
    height - bottom - ((v - y.low) / (y.high - y.low || 1)) * (height - top - bottom);
  for (const [v, text] of told(y)) {
    svg.append(
      s("line", { class: "gridline", x1: left, x2: width - right, y1: toY(v), y2: toY(v) }),
      s("text", { x: left - 8, y: toY(v) + 4, "text-anchor": "end" }, text),
    );
  }
  let last = -Infinity;
  for (const [v, text] of told(x)) {
    const half = widthOf(text) / 2;
    const at = Math.min(width - half, Math.max(half, toX(v)));
    if (at - half < last + 6) continue;
    last = at + half;
    svg.append(s("text", { x: at, y: height - 6, "text-anchor": "middle" }, text));
  }
  svg.append(s("line", { class: "axis", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom }));
  return { x: toX, y: toY };
}

/**
 * Ticks with what is written at them; what rounding makes equal is written once.
 * @param {Axis} axis
 * @returns {[value: number, text: string][]}
 */
export function told({ ticks, text }) {
  const said = new Set();
  return ticks.flatMap((value) => {
    const word = text(value);
    if (said.has(word)) return [];
    said.add(word);
    return [/** @type {[number, string]} */ ([value, word])];
  });
}

/** @param {[x: number, y: number][]} points in pixels */
export const pathOf = (points) => points.map(([x, y], n) => `${n ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
