/* The network at the present step as numbers: rows of boxes, ports of lines, and their way from where they were. */

import { ROOT } from "../model/data.js";
import { PASSES, placeRow } from "./rows.js";

export class Scene {
  /** Whether boxes and lines are on their way. */
  moving = false;
  /** Whether each user of a layer of the root has a box of its own. */
  apart = false;

  /**
   * @param {Data} data
   * @param {Growth} growth
   * @param {boolean} [apart]
   */
  constructor(data, growth, apart = false) {
    this.data = data;
    this.apart = apart;
    this.growth = growth;
    this.ports = data.rows.map(() => new Float32Array(data.tasks.length)); // where lines are
    this.goals = data.rows.map(() => new Float32Array(data.tasks.length)); // where they go
    this.boxes = data.rows.map(() => /** @type {Box[]} */ ([]));
    /** @type {Map<number, { x: number, width: number }>} where boxes are drawn, by their keys */
    this.shown = new Map();
    this.alive = new Uint8Array(data.tasks.length);
    this.meets = data.rows.map(() => new Uint8Array(data.tasks.length)); // whether a task has a layer in the row
    this.arrange(false);
  }

  /**
   * Everything for the present paths; with `glide` it moves there over some frames.
   * @param {boolean} glide
   */
  arrange(glide) {
    const { data, growth } = this;
    const paths = (/** @type {number} */ task) => growth.layers(task);
    const shown = new Map();
    data.rows.forEach((slot, row) => {
      const goals = this.goals[row];
      this.boxes[row] = placeRow(data, paths, slot, goals, this.apart);
      for (const box of this.boxes[row]) {
        const was = glide ? this.shown.get(box.key) : undefined;
        const born =
          glide && !was ? { x: data.column[box.users[0]], width: box.width } : { x: box.x, width: box.width };
        shown.set(box.key, was || born);
      }
    });
    this.pass();
    data.rows.forEach((_, row) => {
      const goals = this.goals[row],
        ports = this.ports[row];
      for (const task of data.order) {
        if (!glide) ports[task] = goals[task];
        else if (!this.alive[task]) ports[task] = data.column[task];
      }
    });
    this.shown = shown;
    for (const task of data.order) this.alive[task] = growth.paths[task] >= 0 ? 1 : 0;
    this.moving = glide;
  }

  /**
   * Where a box is drawn.
   * @param {Box} box
   */
  place(box) {
    return this.shown.get(box.key) ?? box;
  }

  /**
   * Where in the picture a model of a task finds a layer; undefined where it is not there.
   * @param {number} layer
   * @param {number} task
   */
  find(layer, task) {
    if (this.apart && this.data.by(layer) === ROOT) return { x: this.data.column[task] };
    return this.shown.get(layer);
  }

  /* Where a task has no layer its line goes straight on from the row below to the next row where it has one. */
  pass() {
    const { data, goals, meets } = this,
      rows = data.rows.length;
    for (const task of data.order) {
      let last = -1;
      for (let row = 0; row <= rows; row++) {
        if (row < rows) {
          meets[row][task] = goals[row][task] === PASSES ? 0 : 1;
          if (!meets[row][task]) continue;
        }
        const low = last < 0 ? data.column[task] : goals[last][task];
        const high = row === rows ? data.column[task] : goals[row][task];
        for (let at = last + 1; at < row; at++) goals[at][task] = low + ((high - low) * (at - last)) / (row - last);
        last = row;
      }
    }
  }

  /**
   * One step of the glide; false when all is in its place.
   * @param {number} part
   */
  glide(part) {
    if (!this.moving) return false;
    let furthest = 0;
    this.boxes.forEach((boxes, row) => {
      for (const box of boxes) {
        const seen = this.place(box);
        seen.x += (box.x - seen.x) * part;
        seen.width += (box.width - seen.width) * part;
      }
      const ports = this.ports[row],
        goals = this.goals[row];
      for (let task = 0; task < ports.length; task++) {
        const way = goals[task] - ports[task];
        ports[task] += way * part;
        if (this.alive[task]) furthest = Math.max(furthest, Math.abs(way));
      }
    });
    if (furthest < 0.004) {
      this.moving = false;
      this.boxes.forEach((boxes, row) => {
        for (const box of boxes) this.shown.set(box.key, { x: box.x, width: box.width });
        this.ports[row].set(this.goals[row]);
      });
    }
    return true;
  }
}
