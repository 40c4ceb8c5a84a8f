/* Families of tasks: a ground behind the columns of each, named after the task that the others take most layers
   from. */

import { shortened } from "../base/text.js";
import { theme } from "../base/theme.js";

export const FAMILY_ROOM = 17; // pixels above the accuracies
const LETTERS = 5; // of a name, at least

/**
 * @param {NetworkView} view
 * @param {number} step width of a column
 */
export function drawFamilies(view, step) {
  const { ctx, data } = view;
  ctx.save();
  ctx.beginPath();
  ctx.rect(view.left - 6, 0, view.width - view.left + 6, view.height);
  ctx.clip();
  ctx.font = `500 11px ${theme.sans}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  const measure = (/** @type {string} */ text) => ctx.measureText(text).width;
  let first = 0;
  for (const family of data.families) {
    const from = view.x(first) - step / 2,
      wide = family.length * step;
    first += family.length;
    ctx.fillStyle = theme.colours.hair;
    ctx.globalAlpha = 0.8;
    ctx.beginPath();
    ctx.roundRect(from + 1, 3, wide - 2, view.foot + 3, 5);
    ctx.fill();
    ctx.globalAlpha = 1;
    ctx.fillStyle = theme.colours.muted;
    const seen = Math.max(from, view.left - 4),
      room = Math.min(from + wide, view.width) - seen - 10;
    const more = ` +${family.length - 1}`;
    const name = shortened(data.tasks[family[0]].name, room - measure(more), measure);
    if (name.length >= LETTERS && isPlain(name, data.tasks)) ctx.fillText(name + more, seen + 5, 3 + FAMILY_ROOM / 2);
  }
  ctx.restore();
}

/**
 * Whether a shortened name stands for one task alone.
 * @param {string} shown
 * @param {{ name: string }[]} tasks
 */
export function isPlain(shown, tasks) {
  if (tasks.some(({ name }) => name === shown)) return true;
  const [head, tail = ""] = shown.split("…");
  return tasks.filter(({ name }) => name.startsWith(head) && name.endsWith(tail)).length === 1;
}
