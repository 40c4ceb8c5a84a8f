/* Drawing the network: lines, boxes, the sampled model. Everything is drawn anew in each frame. */

import { inkOn } from "../base/colours.js";
import { taskColour, theme } from "../base/theme.js";
import { ROOT } from "../model/data.js";
import { atEnd, state } from "../model/state.js";
import { drawFamilies } from "./families.js";
import { drawGuides, drawHeads, drawNames } from "./labels.js";
import { lit } from "./lit.js";
import { isSmall } from "./slots.js";

const STRIPE = 4; // pixels at least of one of several colours

/** @param {NetworkView} view */
export function drawNetwork(view) {
  const { ctx, data, ratio, width, height } = view;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  if (!data.tasks.length) return;
  const light = lit(data, state.growth, state.query);
  const step = view.pitch * view.zoom;
  drawFamilies(view, step);
  drawGuides(view);
  ctx.save();
  ctx.beginPath();
  ctx.rect(view.left - 6, 0, width - view.left + 6, height);
  ctx.clip();
  const way = light?.way ?? (data.count && !atEnd() && !light ? data.sampled(state.step) : null);
  drawLines(view, light, step);
  if (way && !light) drawWay(view, way);
  drawBoxes(view, light, step, false, way);
  if (way && light) {
    drawWay(view, way);
    drawBoxes(view, light, step, true, way);
  } else if (light) drawLit(view, light, step);
  if (way) drawOwn(view, way);
  ctx.restore();
  drawHeads(view, light, step);
  drawNames(view, light, step);
}

/**
 * @param {NetworkView} view
 * @param {number} task
 */
function trace(view, task) {
  const { ctx, scene } = view;
  const half = view.box * 0.3;
  let x = view.x(view.data.column[task]);
  let y = view.foot;
  ctx.moveTo(x, y);
  for (let row = 0; row < view.y.length; row++) {
    if (!scene.meets[row][task]) continue;
    const next = view.x(scene.ports[row][task]);
    if (Math.abs(next - x) > 0.4) {
      const low = view.y[row] + half;
      const middle = (y + low) / 2;
      ctx.lineTo(x, y);
      ctx.bezierCurveTo(x, middle, next, middle, next, low);
      x = next;
    }
    y = view.y[row] - half;
  }
  const top = view.top - 12,
    end = view.x(view.data.column[task]);
  ctx.lineTo(x, y);
  if (Math.abs(end - x) > 0.4) ctx.bezierCurveTo(x, (y + top) / 2, end, (y + top) / 2, end, top);
  else ctx.lineTo(x, top);
}

/**
 * As thick as columns and rows leave room for.
 * @param {NetworkView} view
 * @param {number} step
 */
const lineWidth = (view, step) => Math.max(0.9, Math.min(3, step * 0.05 + 0.6, view.box * 0.22));

/**
 * @param {NetworkView} view
 * @param {Light | null} light
 * @param {number} step
 */
function drawLines(view, light, step) {
  const { ctx, data } = view;
  const thick = lineWidth(view, step);
  const casing = data.tasks.length <= 40 && !light;
  ctx.lineJoin = "round";
  for (let place = data.order.length - 1; place >= 0; place--) {
    const task = data.order[place];
    if (state.growth.paths[task] < 0 || light?.tasks.has(task)) continue;
    // Lines that only pass through what is zoomed into are faint.
    const here = view.x(place) > view.left - step && view.x(place) < view.width + step;
    ctx.globalAlpha = light ? 0.13 : here ? 1 : 0.22;
    ctx.beginPath();
    trace(view, task);
    if (casing && here) {
      ctx.strokeStyle = theme.colours.panel;
      ctx.lineWidth = thick + 2.4;
      ctx.stroke();
    }
    ctx.strokeStyle = taskColour(task);
    ctx.lineWidth = thick;
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

/**
 * `only`: those that are lit. The layers of `way`, the model sampled now or in focus, have a border.
 * @param {NetworkView} view
 * @param {Light | null} light
 * @param {number} step
 * @param {boolean} only
 * @param {Way | null} way
 */
function drawBoxes(view, light, step, only = false, way = null) {
  const { ctx, data, scene } = view;
  const low = view.left - 40,
    high = view.width + 40,
    tick = Math.min(4, step * 0.4); // of a layer of the root that stands apart
  data.rows.forEach((slot, row) => {
    const tall = view.box * (isSmall(data.slots[slot]) ? 0.68 : 1);
    const y = view.y[row];
    for (const box of scene.boxes[row]) {
      const seen = scene.place(box);
      const x = view.x(seen.x),
        wide = Math.max(2.4, seen.width * step);
      if (x + wide / 2 < low || x - wide / 2 > high) continue;
      const bright = !light || light.layers.has(box.layer);
      if (only && !bright) continue;
      ctx.globalAlpha = bright ? 1 : 0.16;
      const colour = taskColour(data.by(box.layer));
      ctx.fillStyle = colour;
      if (box.key < 0) ctx.fillRect(x - tick / 2, y - tall * 0.2, tick, tall * 0.4);
      else if (wide < 7) ctx.fillRect(x - wide / 2, y - tall / 2, wide, tall);
      else {
        ctx.beginPath();
        ctx.roundRect(x - wide / 2, y - tall / 2, wide, tall, Math.min(tall * 0.32, wide / 2));
        ctx.fill();
        stripes(view, box, x, y, wide, tall);
        if (way && bright && way.layers[slot] === box.layer) {
          ctx.strokeStyle = theme.colours.sampled;
          ctx.lineWidth = 2;
          ctx.stroke();
        }
      }
      if (wide > 30 && tall > 12 && box.users.length > 1) boxText(view, box, x, y, wide, colour);
    }
  });
  ctx.globalAlpha = 1;
}

/**
 * The colours of those who trained a layer together, as many as have room.
 * @param {NetworkView} view
 * @param {Box} box
 * @param {number} x
 * @param {number} y
 * @param {number} wide
 * @param {number} tall
 */
function stripes({ ctx, data }, box, x, y, wide, tall) {
  const makers = data.layers.together[box.layer],
    room = Math.min(makers.length, Math.floor(wide / STRIPE));
  if (room < 2) return;
  ctx.save();
  ctx.clip();
  for (let n = 0; n < room; n++) {
    ctx.fillStyle = taskColour(makers[Math.floor((n * makers.length) / room)]);
    ctx.fillRect(x - wide / 2 + (n * wide) / room, y - tall / 2, wide / room + 0.5, tall);
  }
  ctx.restore();
}

/**
 * The fullest of several texts that fits.
 * @param {NetworkView} view
 * @param {Box} box
 * @param {number} x
 * @param {number} y
 * @param {number} wide
 * @param {Colour} colour
 */
function boxText(view, box, x, y, wide, colour) {
  const { ctx, data } = view;
  const tasks = `${box.users.length} tasks`;
  const makers = data.makers(box.layer);
  const key = `${box.layer} ${box.users.length} ${Math.round(wide)}`;
  let text = view.boxTexts.get(key);
  ctx.font = `500 11px ${theme.sans}`;
  if (text === undefined) {
    const by = makers.length > 1 ? "together" : makers[0] === ROOT ? "root" : data.taskName(makers[0]);
    const full = `${by} · ${tasks}`;
    text = [full, tasks, String(box.users.length)].find((t) => ctx.measureText(t).width < wide - 12) ?? "";
    view.boxTexts.set(key, text);
  }
  if (makers.length > 1 && text) {
    const room = ctx.measureText(text).width + 8;
    ctx.fillStyle = theme.colours.panel;
    ctx.fillRect(x - room / 2, y - 7, room, 14);
    ctx.fillStyle = theme.colours.ink;
  } else ctx.fillStyle = colour.startsWith("#") ? inkOn(colour) : theme.colours.ink;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(text, x, y + 0.5);
}

/**
 * What is in focus, above everything else and through the boxes.
 * @param {NetworkView} view
 * @param {Light} light
 * @param {number} step
 */
function drawLit(view, light, step) {
  const { ctx } = view;
  ctx.lineWidth = lineWidth(view, step) + (light.tasks.size < 4 ? 1 : 0);
  for (const task of light.tasks) {
    if (state.growth.paths[task] < 0) continue;
    ctx.beginPath();
    trace(view, task);
    ctx.strokeStyle = taskColour(task);
    ctx.stroke();
  }
  if (light.tasks.size) drawBoxes(view, light, step, true);
}

/**
 * Where a model that is not (or not yet, or no longer) the best of its task passes: through the layers that it took over
 * as far as they are in the picture, else (`own`) in its task's column.
 * @param {NetworkView} view
 * @param {Way} model
 */
function wayPoints(view, model) {
  const { data, scene } = view,
    column = data.column[model.task],
    points = /** @type {{ x: number, y: number, own: boolean }[]} */ ([]);
  data.rows.forEach((slot, row) => {
    const layer = model.layers[slot];
    if (layer < 0 && !model.own.has(slot)) return;
    const there = layer >= 0 ? scene.find(layer, model.task) : undefined;
    points.push({ x: view.x(there ? there.x : column), y: view.y[row], own: !there });
  });
  return points;
}

/**
 * A dashed line.
 * @param {NetworkView} view
 * @param {Way} model
 */
function drawWay(view, model) {
  const { ctx, data } = view,
    column = data.column[model.task];
  const points = wayPoints(view, model).map(({ x, y }) => [x, y]);
  const x = view.x(column);
  const way = [[x, view.foot], ...points, [x, view.top - 12]];
  for (const { colour, wide, dash } of [
    { colour: theme.colours.panel, wide: 5.5, dash: [] },
    { colour: theme.colours.sampled, wide: 2.2, dash: [6, 4] },
  ]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = wide;
    ctx.setLineDash(dash);
    ctx.beginPath();
    way.forEach(([px, py], n) => {
      if (!n) return ctx.moveTo(px, py);
      const [lx, ly] = way[n - 1];
      return ctx.bezierCurveTo(lx, (ly + py) / 2, px, (ly + py) / 2, px, py);
    });
    ctx.stroke();
  }
  ctx.setLineDash([]);
}

/**
 * A ring for each layer that the picture has not.
 * @param {NetworkView} view
 * @param {Way} model
 */
function drawOwn(view, model) {
  const { ctx } = view;
  for (const { x, y, own } of wayPoints(view, model)) {
    if (!own) continue;
    ctx.beginPath();
    ctx.arc(x, y, Math.max(3, view.box * 0.28), 0, 2 * Math.PI);
    ctx.fillStyle = taskColour(model.task);
    ctx.fill();
    ctx.lineWidth = 1.8;
    ctx.strokeStyle = theme.colours.sampled;
    ctx.stroke();
  }
}
