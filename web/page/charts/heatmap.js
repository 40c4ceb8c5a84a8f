/* A matrix of tasks by tasks, or of other things, on a canvas. Arrow keys move a cursor over the cells and say what is there. */

import { pen, sharpness, turned } from "../base/canvas.js";
import { heat, inkOn } from "../base/colours.js";
import { h } from "../base/dom.js";
import { dataTable } from "../base/table.js";
import { shortened } from "../base/text.js";
import { theme } from "../base/theme.js";
import { tip } from "../base/tip.js";
import { charts } from "./chart.js";
import { choose, state } from "../model/state.js";

/**
 * @typedef {object} Items what the rows and columns stand for
 * @property {() => number[]} order
 * @property {(item: number) => string} name
 * @property {(item: number) => void} [pick] what a click on a row does
 * @property {Set<number>} [named] those that are named where there is no room for all
 */

/** @type {Items} */
const TASKS = {
  order: () => state.data.order,
  name: (task) => state.data.tasks[task].name,
  pick: (task) => choose({ kind: "task", task }),
};

/** @typedef {{ value: number | null, text: string, told: string }} Cell its shade from 0 to 1 (null: none), what stands in it, what is said of it */

export class Heatmap {
  /** @type {[row: number, column: number] | null} the cell under the cursor */
  at = null;
  left = 0;
  top = 0;
  /** Of a cell. */
  size = 0;

  /**
   * @param {object} plan
   * @param {string} plan.label
   * @param {(row: number, column: number) => Cell} plan.cell of two items
   * @param {Items} [plan.items] tasks unless given
   * @param {number} [plan.most] width at most
   * @param {() => (string | number | null)[][]} plan.rows the same as a table
   */
  constructor({ label, cell, items = TASKS, most = 760, rows }) {
    this.cell = cell;
    this.items = items;
    this.most = most;
    this.canvas = h("canvas", {
      tabindex: "0",
      role: "application",
      "aria-roledescription": "matrix",
      "aria-label": `${label}. Arrow keys move over the cells.`,
    });
    this.said = h("span", { class: "unseen", "aria-live": "polite" });
    this.paper = h("div", { class: "paper" }, this.canvas, this.said);
    this.box = h("figure", {}, this.paper, dataTable(label, rows));
    new ResizeObserver(() => this.paint()).observe(this.paper);
    charts.add({ box: this.box, paint: () => this.paint() });
    this.canvas.addEventListener("pointermove", (event) => {
      const box = this.canvas.getBoundingClientRect();
      this.move(this.find(event.clientX - box.left, event.clientY - box.top), event);
    });
    this.canvas.addEventListener("pointerleave", () => this.move(null));
    this.canvas.addEventListener("blur", () => this.move(null));
    this.canvas.addEventListener("click", () => {
      if (this.at) items.pick?.(items.order()[this.at[0]]);
    });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    /** @type {Record<string, [number, number]>} */
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const by = steps[event.key];
    if (!by) return;
    event.preventDefault();
    const last = this.items.order().length - 1;
    const [row, column] = this.at || [0, -1];
    this.move([Math.max(0, Math.min(last, row + by[0])), Math.max(0, Math.min(last, column + by[1]))]);
    this.said.textContent = this.told(this.at ?? [0, 0]).join(", ");
  }

  /** @param {[row: number, column: number]} at */
  told([row, column]) {
    const { name } = this.items,
      order = this.items.order();
    return [`${name(order[row])} × ${name(order[column])}`, this.cell(order[row], order[column]).told];
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {[row: number, column: number] | null}
   */
  find(x, y) {
    const { left, top, size } = this,
      n = this.items.order().length;
    const row = Math.floor((y - top) / size),
      column = Math.floor((x - left) / size);
    return row >= 0 && column >= 0 && row < n && column < n ? [row, column] : null;
  }

  /**
   * @param {[row: number, column: number] | null} at
   * @param {PointerEvent} [event]
   */
  move(at, event) {
    this.at = at;
    this.paint();
    if (!at || !event) return tip.hide();
    const [title, line] = this.told(at);
    return tip.show(event.clientX, event.clientY, title, [line]);
  }

  paint() {
    const outer = Math.min(this.paper.clientWidth, this.most);
    if (!outer) return;
    const order = this.items.order(),
      n = order.length;
    const ctx = pen(this.canvas),
      ratio = sharpness();
    ctx.font = `12px ${theme.sans}`;
    const longest = Math.max(...order.map((item) => ctx.measureText(this.items.name(item)).width));
    const room = Math.min(longest + 12, outer < 500 ? 104 : 170);
    const slanted = (outer - room) / n >= 26;
    this.left = room;
    const spare = slanted ? Math.min(longest * 0.7, 84) : 4;
    this.size = Math.min(58, (outer - room - spare) / n);
    this.top = slanted ? Math.min(longest * 0.72, 110) + 12 : Math.min(longest, 130) + 12;
    const width = Math.ceil(room + n * this.size + spare),
      height = Math.ceil(this.top + n * this.size + 2);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.cells(ctx, order);
    this.labels(ctx, order, slanted);
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {number[]} order
   */
  cells(ctx, order) {
    const { size, left, top } = this,
      gap = size > 14 ? 2 : size > 5 ? 0.6 : 0;
    const shades = Array.from({ length: 65 }, (_, n) => heat(n / 64));
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.font = `${Math.min(13, size * 0.36)}px ${theme.sans}`;
    order.forEach((row, r) =>
      order.forEach((column, c) => {
        const { value, text } = this.cell(row, column);
        // the diagonal tells another thing, so it is not on the scale
        const shade =
          value === null ? theme.colours.rule : shades[Math.round(64 * Math.max(0, Math.min(1, value || 0)))];
        ctx.fillStyle = shade;
        ctx.fillRect(left + c * size, top + r * size, size - gap, size - gap);
        if (size > 22 && text) {
          ctx.fillStyle = inkOn(shade);
          ctx.fillText(text, left + (c + 0.5) * size - gap / 2, top + (r + 0.5) * size);
        }
      }),
    );
    if (!this.at) return;
    ctx.strokeStyle = theme.colours.ink;
    ctx.lineWidth = 2;
    ctx.strokeRect(left + this.at[1] * size, top + this.at[0] * size, size - gap, size - gap);
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {number[]} order
   * @param {boolean} slanted
   */
  labels(ctx, order, slanted) {
    const { size, left, top } = this,
      { name, named } = this.items,
      every = Math.max(1, Math.ceil(11 / size));
    ctx.textBaseline = "middle";
    const measure = (/** @type {string} */ text) => ctx.measureText(text).width;
    let last = -every; // the item that was named last
    order.forEach((item, n) => {
      const some = named ? named.has(item) && n - last >= every : n % every === 0;
      if (some) last = n;
      for (const side of [0, 1]) {
        const bold = this.at?.[side] === n;
        if (every > 1 && !some && !bold) continue;
        if (every > 1 && this.at && !bold && Math.abs(this.at[side] - n) * size < 12) continue;
        ctx.font = `${bold ? 600 : 400} ${Math.min(12, Math.max(9, size * every))}px ${theme.sans}`;
        ctx.fillStyle = bold ? theme.colours.ink : theme.colours.muted;
        const middle = (n + 0.5) * size;
        if (side === 0) {
          ctx.textAlign = "right";
          ctx.fillText(shortened(name(item), left - 10, measure), left - 8, top + middle);
        } else if (slanted)
          turned(
            ctx,
            shortened(name(item), (top - 12) / 0.72, measure),
            left + middle - 2,
            top - 8,
            -Math.PI / 4,
            "left",
          );
        else turned(ctx, shortened(name(item), top - 12, measure), left + middle, top - 7, -Math.PI / 2, "left");
      }
    });
  }
}
