/* Where boxes and lines of a row go: the same rules as munet.report.network.layout, with the order of the columns fixed.
   A column is one unit wide. A layer is a box as wide as it has users; each user's line has a port of its own. With
   `apart` each user of a layer of the root has a box of its own instead, so that its line goes straight on. */

import { ROOT } from "../model/data.js";

const PORT = 0.3,
  PAD = 0.21,
  GAP = 0.18;

/** @param {number} users */
const boxWidth = (users) => 2 * PAD + PORT * Math.max(0, users - 1);

/**
 * Centres as near to the wanted ones (ascending) as boxes of these widths allow without touching.
 * @param {number[]} wanted
 * @param {number[]} widths
 * @param {number} columns
 */
export function spread(wanted, widths, columns) {
  const offsets = [];
  /** @type {[mean: number, members: number][]} */
  const groups = [];
  let left = 0;
  for (const width of widths) {
    offsets.push(left + width / 2);
    left += width + GAP;
  }
  const room = Math.max(0, columns - (left - GAP));
  for (let n = 0; n < wanted.length; n++) {
    let mean = wanted[n] - offsets[n],
      members = 1;
    for (let last = groups.at(-1); last && last[0] > mean; last = groups.at(-1)) {
      const [other, others] = last;
      groups.pop();
      mean = (mean * members + other * others) / (members + others);
      members += others;
    }
    groups.push([mean, members]);
  }
  const centres = [];
  for (const [mean, members] of groups) {
    const start = Math.min(Math.max(mean, -0.5), -0.5 + room);
    for (let n = 0; n < members; n++) centres.push(start + offsets[centres.length]);
  }
  return centres;
}

/* Boxes of one row, and into `ports` (by task) where each line meets its box; -1e9 where a task has no layer. */
export const PASSES = -1e9;

/**
 * @param {Data} data
 * @param {(task: number) => Int32Array | null} paths
 * @param {number} slot
 * @param {Float32Array} ports
 * @param {boolean} apart
 */
export function placeRow(data, paths, slot, ports, apart) {
  /** @type {Map<number, Box>} */
  const holders = new Map(),
    boxes = /** @type {Box[]} */ ([]);
  for (const task of data.order) {
    const layer = paths(task)?.[slot] ?? -1;
    ports[task] = PASSES;
    if (layer < 0) continue;
    const key = apart && data.by(layer) === ROOT ? -1 - (slot * data.tasks.length + task) : layer;
    const found = holders.get(key);
    if (found) {
      found.users.push(task);
      continue;
    }
    const box = { key, layer, users: [task], x: 0, width: 0, at: 0 };
    holders.set(key, box);
    boxes.push(box);
  }
  for (const box of boxes) {
    let sum = 0;
    for (const task of box.users) sum += data.column[task];
    box.at = sum / box.users.length;
    box.width = boxWidth(box.users.length);
  }
  boxes.sort((a, b) => a.at - b.at || data.column[a.users[0]] - data.column[b.users[0]]);
  const centres = spread(
    boxes.map((box) => box.at),
    boxes.map((box) => box.width),
    data.tasks.length,
  );
  boxes.forEach((box, n) => {
    box.x = centres[n];
    box.users.forEach((task, place) => {
      ports[task] = box.x + PORT * (place - (box.users.length - 1) / 2);
    });
  });
  return boxes;
}
