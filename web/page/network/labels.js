/* Words of the network: names of rows and tasks, accuracies of heads. */

import { folded, turned } from "../base/canvas.js";
import { known, percent } from "../base/numbers.js";
import { shortened } from "../base/text.js";
import { taskColour, theme } from "../base/theme.js";
import { apartFrom } from "../base/ticks.js";
import { state } from "../model/state.js";
import { isSmall } from "./slots.js";

/**
 * A row's name and the size of its layers, where there is room for them.
 * @param {NetworkView} view
 */
export function drawGuides(view) {
  const { ctx, data } = view;
  const close = view.y.length > 1 && Math.abs(view.y[0] - view.y[view.y.length - 1]) / view.y.length < 19;
  ctx.strokeStyle = theme.colours.hair;
  ctx.lineWidth = 1;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (const y of view.y) {
    ctx.beginPath();
    ctx.moveTo(view.left, Math.round(y) + 0.5);
    ctx.lineTo(view.width - view.right, Math.round(y) + 0.5);
    ctx.stroke();
  }
  ctx.fillStyle = theme.colours.muted;
  ctx.font = `${close ? 10.5 : 12}px ${theme.sans}`;
  // Where rows stand close, the small ones go without a name.
  const rows = data.rows
    .map((slot, row) => ({ row, name: data.slots[slot] }))
    .sort((a, b) => Number(isSmall(a.name)) - Number(isSmall(b.name)));
  for (const row of apartFrom(rows, (one) => view.y[one.row], 0, view.height, 11)) {
    const name = row.name.replace(".", " ");
    ctx.fillText(view.left < 90 ? name.replace("embedding", "embed") : name, view.left - 12, view.y[row.row] + 0.5);
  }
}

/**
 * Validation accuracies above the heads: numbers, or bars where columns are too narrow for them.
 * @param {NetworkView} view
 * @param {Light | null} light
 * @param {number} step
 */
export function drawHeads(view, light, step) {
  const { ctx, data } = view;
  ctx.textBaseline = "middle";
  const shown = step < 9 ? new Set(labelled(view, light, step, true)) : null;
  if (shown) drawBars(view, light, step, shown);
  for (const task of data.order) {
    // A model in focus stands in its task's column, so what it reached stands there too.
    const value = light?.named === task ? light.accuracy : state.growth.accuracy(task);
    if (!known(value) || (shown && !shown.has(task))) continue;
    ctx.globalAlpha = light && !light.tasks.has(task) && light.named !== task ? 0.25 : 1;
    ctx.fillStyle = theme.colours.ink;
    ctx.font = `600 ${Math.min(12.5, Math.max(8.5, step - 1))}px ${theme.sans}`;
    const x = view.x(data.column[task]),
      y = view.top - 18;
    if (x < view.left - 6 || x > view.width) continue;
    const text = percent(value, 1);
    if (step > 36) {
      ctx.textAlign = "center";
      ctx.fillText(text, x, y - 6);
    } else turned(ctx, text, x, y, -Math.PI / 2, "left");
  }
  ctx.globalAlpha = 1;
}

/**
 * Where columns are narrower than letters are high: the tasks that get a label, those that are lit before others.
 * @param {NetworkView} view
 * @param {Light | null} light
 * @param {number} step
 * @param {boolean} litOnly
 */
function labelled(view, light, step, litOnly) {
  const { order } = view.data,
    every = Math.max(1, Math.ceil(9.4 / step));
  const lit = light ? order.filter((task) => light.tasks.has(task) || light.named === task) : [];
  const rest = litOnly ? [] : order.filter((_, place) => place % every === 0);
  return lit.length || !litOnly
    ? apartFrom([...lit, ...rest], (task) => view.data.column[task] * step, -1, Infinity, 9.4)
    : [];
}

/**
 * @param {NetworkView} view
 * @param {Light | null} light
 * @param {number} step
 * @param {Set<number>} labels
 */
function drawBars(view, light, step, labels) {
  const { ctx, data } = view,
    foot = view.top - 10,
    tall = view.headRoom - 6;
  for (const task of data.order) {
    const value = state.growth.accuracy(task),
      x = view.x(data.column[task]);
    if (!known(value) || labels.has(task) || x < view.left - 6) continue;
    ctx.globalAlpha = light && !light.tasks.has(task) ? 0.2 : 0.85;
    ctx.fillStyle = taskColour(task);
    ctx.fillRect(x - step * 0.36, foot - value * tall, Math.max(1, step * 0.72), value * tall);
  }
  ctx.globalAlpha = 1;
}

/**
 * Names below: level, slanted or upright. Where even that is too close, every n-th, and what is in focus.
 * @param {NetworkView} view
 * @param {Light | null} light
 * @param {number} step
 */
export function drawNames(view, light, step) {
  const { ctx, data } = view;
  const shown = step < 9.4 ? new Set(labelled(view, light, step, false)) : null;
  ctx.textBaseline = "middle";
  data.order.forEach((task, place) => {
    const bright = light && (light.tasks.has(task) || light.named === task);
    if (shown && !shown.has(task)) return;
    ctx.globalAlpha = light && !bright ? 0.3 : state.growth.paths[task] < 0 ? 0.45 : 1;
    ctx.fillStyle = theme.colours.ink;
    ctx.font = `${bright ? 600 : 400} ${view.size}px ${theme.sans}`;
    const x = view.x(place),
      y = view.foot + 10;
    if (x < view.left - 6 || x > view.width) return;
    const key = `${task} ${bright ? 1 : 0}`;
    let text = view.labels.get(key);
    if (text === undefined) {
      text = view.level
        ? folded(ctx, data.tasks[task].name, view.nameRoom)
        : [shortened(data.tasks[task].name, view.nameRoom, (t) => ctx.measureText(t).width)];
      view.labels.set(key, text);
    }
    if (view.level)
      text.forEach((line, n) => {
        ctx.textAlign = "center";
        ctx.fillText(line, x, y + 4 + n * 15);
      });
    else turned(ctx, text[0], x, y, step > 16 ? -Math.PI / 4 : -Math.PI / 2, "right");
  });
  ctx.globalAlpha = 1;
}
