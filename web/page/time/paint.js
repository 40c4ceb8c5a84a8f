/* What stands in the panels of time: scores, ancestors, and which task was evolved when. */

import { pen, roomFor, sharpness } from "../base/canvas.js";
import { known } from "../base/numbers.js";
import { taskColour, theme } from "../base/theme.js";

/**
 * A point a child (hollow: rejected), and for each task the line of its best so far.
 * @param {TimePanel} panel
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} alpha
 */
export function paintScores(panel, ctx, alpha) {
  const { data } = panel;
  const radius = data.count > 4000 ? 1.1 : data.count > 800 ? 1.7 : 2.4;
  for (let step = 0; step < data.count; step++) {
    if (!known(data.score[step])) continue;
    ctx.globalAlpha = alpha * (data.state[step] ? 0.9 : 0.42);
    ctx.fillStyle = ctx.strokeStyle = taskColour(data.task[step]);
    ctx.beginPath();
    ctx.arc(panel.x(step), panel.y(data.score[step]), radius, 0, 2 * Math.PI);
    if (data.state[step] || data.count > 4000) ctx.fill();
    else {
      ctx.lineWidth = 0.9;
      ctx.stroke();
    }
  }
  ctx.globalAlpha = alpha;
  /** @type {Map<number, number[]>} */
  const last = new Map();
  data.moments.step.forEach((step, n) => {
    const task = data.moments.task[n];
    last.set(task, [...(last.get(task) ?? []), step]);
  });
  for (const [task, steps] of last) {
    ctx.strokeStyle = taskColour(task);
    ctx.lineWidth = data.tasks.length > 40 ? 1 : 1.8;
    ctx.globalAlpha = alpha * (data.tasks.length > 40 ? 0.6 : 1);
    ctx.beginPath();
    steps.forEach((step, n) => {
      if (!known(data.score[step])) return;
      const x = panel.x(step),
        y = panel.y(data.score[step]);
      if (n) ctx.lineTo(x, panel.y(data.score[steps[n - 1]]));
      if (n) ctx.lineTo(x, y);
      else ctx.moveTo(x, y);
    });
    const end = steps[steps.length - 1];
    if (known(data.score[end])) ctx.lineTo(panel.x(data.count - 1), panel.y(data.score[end]));
    ctx.stroke();
  }
}

/**
 * A line from each child to its parent; the lineages of the models that stand at the end are thick, with a +.
 * @param {TimePanel} panel
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} alpha
 */
export function paintTree(panel, ctx, alpha) {
  const { data } = panel;
  const link = (/** @type {number} */ step, /** @type {number} */ width) => {
    const parent = data.parent[step];
    if (parent < 0 || !known(data.score[step]) || !known(data.score[parent])) return;
    ctx.strokeStyle = taskColour(data.task[step]);
    ctx.lineWidth = width;
    ctx.beginPath();
    ctx.moveTo(panel.x(parent), panel.y(data.score[parent]));
    ctx.lineTo(panel.x(step), panel.y(data.score[step]));
    ctx.stroke();
  };
  ctx.globalAlpha = alpha * (data.count > 4000 ? 0.12 : data.count > 800 ? 0.25 : 0.4);
  for (let step = 0; step < data.count; step++) link(step, 0.8);
  ctx.globalAlpha = alpha;
  for (const end of data.retainedStep) {
    for (const step of end >= 0 ? data.chain(end) : []) {
      link(step, data.tasks.length > 40 ? 1 : 1.8);
      if (!known(data.score[step])) continue;
      const x = panel.x(step),
        y = panel.y(data.score[step]),
        arm = data.tasks.length > 40 ? 1.6 : 4;
      ctx.strokeStyle = theme.colours.ink;
      ctx.lineWidth = data.tasks.length > 40 ? 0.7 : 1.2;
      ctx.beginPath();
      ctx.moveTo(x - arm, y);
      ctx.lineTo(x + arm, y);
      ctx.moveTo(x, y - arm);
      ctx.lineTo(x, y + arm);
      ctx.stroke();
    }
  }
}

/**
 * Which task was evolved when: a strip of colours under the slider.
 * @param {HTMLCanvasElement} canvas
 * @param {Data} data
 * @param {number} left
 */
export function paintStrip(canvas, data, left) {
  const width = roomFor(canvas),
    ratio = sharpness();
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(7 * ratio);
  const ctx = pen(canvas);
  ctx.scale(ratio, ratio);
  const per = (width - left - 12) / Math.max(1, data.count);
  for (let step = 0; step < data.count;) {
    const task = data.task[step],
      from = step;
    while (step < data.count && data.task[step] === task) step += 1;
    ctx.fillStyle = taskColour(task);
    ctx.fillRect(left + from * per, 1, Math.max(0.5, (step - from) * per - (per * (step - from) > 6 ? 1 : 0)), 5);
  }
}
