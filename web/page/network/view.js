/* The network on a canvas: its size, zoom and pan along the tasks, and its frames. */

import { folded, pen, roomFor, sharpness } from "../base/canvas.js";
import { bdi, clear, h } from "../base/dom.js";
import { count, counted } from "../base/numbers.js";
import { listed } from "../base/text.js";
import { theme } from "../base/theme.js";
import { state } from "../model/state.js";
import { drawNetwork } from "./draw.js";
import { FAMILY_ROOM } from "./families.js";
import { listen } from "./pointing.js";
import { Scene } from "./scene.js";
import { isSmall } from "./slots.js";

const MANY = 16; // tasks above which the root's layers hide what tasks share

export class NetworkView {
  /** @type {Data} */
  data;
  /** @type {Scene} */
  scene;
  /** @type {Map<string, string[]>} lines of names as they fit, until the size changes */
  labels = new Map();
  /** @type {Map<string, string>} the same for texts in boxes */
  boxTexts = new Map();
  zoom = 1;
  pan = 0;
  /** @type {boolean | undefined} whether layers of the root stand apart, in each column: as the reader chose, or many do */
  apart;
  /** Whether it draws fewer pixels, while it plays. */
  coarse = false;
  ratio = 1;
  width = 0;
  height = 0;
  /** @type {number[]} the middle of each row, from the lowest on */
  y = [];
  left = 0;
  right = 16;
  top = 0;
  /** Where lines begin, upright. */
  foot = 0;
  /** Between the middles of two columns, without zoom. */
  pitch = 0;
  /** Left of the first column and right of the last. */
  inset = 0;
  /** Height of a box. */
  box = 0;
  /** Of the letters of names. */
  size = 12;
  /** Whether names stand level. */
  level = true;
  nameRoom = 0;
  footRoom = 0;
  headRoom = 0;
  /** The request of the next frame, or 0. */
  asked = 0;
  /** @type {number | undefined} time of the frame before, while it moves */
  last;
  /** @type {number | undefined} the task that the keys reached last */
  keyTask;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.canvas = h("canvas", {
      class: "network",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "network diagram",
      "aria-keyshortcuts": "ArrowLeft ArrowRight ArrowUp ArrowDown Escape Plus Minus 0",
    });
    this.now = h("p", { class: "now" });
    const button = (/** @type {string} */ text, /** @type {string} */ label, /** @type {() => void} */ act) =>
      h("button", { type: "button", "aria-label": label, title: label, onclick: act }, text);
    this.root = button("Root", "Gather the lines of all who use a layer of the root", () => this.gather());
    const zoom = h(
      "div",
      { class: "zoom" },
      button("−", "Zoom out", () => this.zoomBy(1 / 1.6)),
      button("+", "Zoom in", () => this.zoomBy(1.6)),
      button("Fit", "Show all tasks", () => this.fit()),
      this.root,
    );
    this.nothing = h("p", { class: "nothing" });
    this.zoomers = zoom;
    host.append(h("div", { class: "above" }, this.now, zoom), this.canvas, this.nothing);
    this.ctx = pen(this.canvas);
    listen(this);
    new ResizeObserver(() => this.resize()).observe(host);
  }

  /**
   * @param {Data} data
   * @param {Growth} growth
   */
  set(data, growth) {
    this.data = data;
    this.apart ??= data.tasks.length > MANY;
    this.scene = new Scene(data, growth, this.apart);
    this.root.setAttribute("aria-pressed", String(!this.apart));
    this.labels.clear();
    this.boxTexts.clear();
    const grown = data.tasks.filter((task) => task.model).length;
    const empty = !data.moments.step.length && data.retained.every((path) => path < 0);
    for (const part of [this.canvas, this.zoomers]) part.hidden = empty;
    this.nothing.hidden = !empty;
    if (empty) clear(this.nothing).append(...beginning(data));
    this.canvas.setAttribute(
      "aria-label",
      `The network of ${counted(data.tasks.length, "task")}, ${grown} of them with a model. ` +
        "Left and right choose a task, up and down a layer of it, plus and minus zoom. What is chosen is described beside it.",
    );
    this.resize();
  }

  resize() {
    const width = roomFor(this.canvas);
    if (!width || !this.data) return;
    const { data } = this;
    this.ratio = this.coarse ? 1 : sharpness();
    this.width = width;
    this.left = width < 600 ? 78 : 104;
    const columns = Math.max(1, data.tasks.length);
    this.pitch = Math.min(150, (width - this.left - this.right) / columns);
    this.inset = (width - this.left - this.right - this.pitch * columns) / 2;
    this.measure();
    const sizes = data.rows.map((slot) => (isSmall(data.slots[slot]) ? 0.62 : 1));
    const total = sizes.reduce((a, b) => a + b, 0) || 1;
    const unit = Math.max(15, Math.min(width < 600 ? 46 : 54, (width < 600 ? 400 : 470) / total));
    const plot = total * unit;
    this.top = this.headRoom + 20 + (data.families.length ? FAMILY_ROOM : 0);
    this.foot = this.top + plot + 16;
    this.height = Math.round(this.foot + this.footRoom + 8);
    this.box = Math.min(21, unit * 0.46);
    let y = this.top + plot;
    this.y = sizes.map((size) => {
      y -= size * unit;
      return y + (size * unit) / 2;
    });
    this.canvas.style.height = `${this.height}px`;
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
    this.clamp();
    this.ask();
  }

  /* How names and accuracies stand depends on the width of a column: level, slanted or upright. */
  measure() {
    const step = this.pitch * this.zoom;
    this.size = Math.max(8.5, Math.min(13, step < 16 ? step - 1 : 12.5));
    this.ctx.font = `600 ${this.size}px ${theme.sans}`;
    this.level =
      step > 60 &&
      this.data.tasks.every((task) => folded(this.ctx, task.name, step - 8).every((line) => !line.includes("…")));
    const longest = Math.max(20, ...this.data.tasks.map((task) => this.ctx.measureText(task.name).width));
    const room = this.width < 600 ? 110 : 150;
    this.nameRoom = this.level ? step - 8 : Math.min(longest + 4, room);
    if (this.zoom === 1) {
      this.footRoom = this.level ? 40 : Math.min(longest, room) * (step > 16 ? 0.72 : 1) + 22;
      this.headRoom = step > 36 ? 26 : 42;
    } else if (!this.level) this.nameRoom = Math.min(this.nameRoom, (this.footRoom - 20) / (step > 16 ? 0.72 : 1));
    this.labels.clear();
    this.boxTexts.clear();
  }

  /** @param {number} column */
  x(column) {
    return this.left + this.inset + (column + 0.5) * this.pitch * this.zoom - this.pan;
  }

  clamp() {
    const whole = this.pitch * this.data.tasks.length * this.zoom;
    const room = this.width - this.left - this.right;
    this.pan = Math.max(0, Math.min(this.pan, whole - room + 2 * this.inset));
    if (whole + 2 * this.inset <= room) this.pan = 0;
  }

  /**
   * @param {number} factor
   * @param {number} at x of what stays where it is
   */
  zoomBy(factor, at = this.left + (this.width - this.left) / 2) {
    const most = Math.max(1, 170 / this.pitch);
    const zoom = Math.max(1, Math.min(most, this.zoom * factor));
    const place = (at - this.left - this.inset + this.pan) / this.zoom;
    this.zoom = zoom;
    this.pan = place * zoom - (at - this.left - this.inset);
    this.clamp();
    this.measure();
    this.ask();
  }

  /* Draws a layer of the root once, where all its lines meet, or apart in each column. */
  gather() {
    this.apart = !this.apart;
    this.scene.apart = this.apart;
    this.scene.arrange(true);
    this.root.setAttribute("aria-pressed", String(!this.apart));
    this.ask();
  }

  fit() {
    this.zoom = 1;
    this.pan = 0;
    this.measure();
    this.ask();
  }

  /**
   * Brings a task into view.
   * @param {number} task
   */
  reveal(task) {
    if (this.zoom === 1) return;
    const x = this.x(this.data.column[task]);
    if (x < this.left + 20 || x > this.width - 40) {
      this.pan += x - (this.left + this.width) / 2;
      this.clamp();
    }
    this.ask();
  }

  ask() {
    if (this.data && matchMedia("print").matches) this.settle();
    if (this.asked) return;
    this.asked = requestAnimationFrame((time) => {
      this.asked = 0;
      this.frame(time);
    });
  }

  /* Draws it now, as it will be: paper waits for no frame. */
  settle() {
    if (this.scene.moving) this.scene.arrange(false);
    drawNetwork(this);
  }

  /** @param {number} time */
  frame(time) {
    if (!this.data) return;
    const passed = Math.min(100, time - (this.last ?? time - 16));
    this.last = time;
    if (this.scene.glide(1 - Math.exp(-passed / 90))) this.ask();
    else this.last = undefined;
    drawNetwork(this);
  }

  /**
   * Fewer pixels while it plays, where a machine would show too few frames else.
   * @param {boolean} coarse
   */
  soften(coarse) {
    if (this.coarse === coarse || (this.ratio === 1 && coarse)) return;
    this.coarse = coarse;
    this.resize();
  }

  /**
   * After the step changed.
   * @param {boolean} glide
   */
  move(glide) {
    if (state.moved) this.scene.arrange(glide);
    this.ask();
  }
}

/**
 * What there is before any task has a model.
 * @param {Data} data
 */
function beginning(data) {
  const root = data.layersOf(0);
  const layers = root ? [...root].filter((layer) => layer >= 0) : [];
  const size = layers.reduce((sum, layer) => sum + (data.layers.parameters[layer] || 0), 0);
  return [
    "So far there is the root, ",
    bdi(data.root.source),
    layers.length ? `: ${counted(layers.length, "layer")}, ${count(size)} parameters.` : ".",
    data.tasks.length ? [" Waiting: ", listed(data.tasks.map((task) => bdi(task.name))), "."] : "",
  ].flat(2);
}
