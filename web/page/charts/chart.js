/* Charts that are drawn anew when their width or the theme changes. */

import { clear, h, s } from "../base/dom.js";
import { dataTable } from "../base/table.js";

/** @type {Set<{ box: HTMLElement, paint: () => void, chosen?: boolean }>} */
export const charts = new Set();

/**
 * @typedef {object} Plan
 * @property {string} label for those who do not see it
 * @property {number | ((width: number) => number)} height
 * @property {(svg: SVGSVGElement, width: number, height: number) => void} draw
 * @property {string | HTMLElement} [title]
 * @property {string} [note] beside the title
 * @property {() => (string | number | null)[][]} [rows] its numbers as a table, the headings first
 * @property {boolean} [chosen] whether it shows what is chosen
 */

/**
 * A figure with an SVG.
 * @param {Plan} plan
 */
export function chart({ title, note, height, label, draw, rows, chosen = false }) {
  const paper = h("div", { class: "paper" });
  const box = h(
    "figure",
    {},
    title ? h("figcaption", {}, h("h3", {}, title), note ? h("span", { class: "small" }, note) : null) : null,
    paper,
    rows ? dataTable(label, rows) : null,
  );
  let seen = 0;
  const paint = () => {
    const width = Math.floor(paper.clientWidth);
    if (!width) return;
    seen = width;
    const tall = typeof height === "function" ? height(width) : height;
    const svg = s("svg", { viewBox: `0 0 ${width} ${tall}`, height: tall, role: "img", "aria-label": label });
    draw(svg, width, tall);
    clear(paper).append(svg);
  };
  new ResizeObserver(() => {
    if (Math.abs(paper.clientWidth - seen) > 1) paint();
  }).observe(paper);
  charts.add({ box, paint, chosen });
  return box;
}

/* All of them, or those alone that show what is chosen. */
export function repaintCharts(choiceOnly = false) {
  for (const one of charts) {
    if (!one.box.isConnected) charts.delete(one);
    else if (!choiceOnly || one.chosen) one.paint();
  }
}
