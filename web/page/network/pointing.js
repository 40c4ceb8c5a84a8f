/* Pointing at the network with mouse, finger and keys: what is there, and what follows. */

import { tip } from "../base/tip.js";
import { choose, hover, state } from "../model/state.js";
import { describe } from "./describe.js";

/** @typedef {[x: number, y: number]} Point */

/** @param {NetworkView} view */
export function listen(view) {
  const { canvas } = view;
  /** @type {Map<number, Point>} */
  const fingers = new Map();
  /** @type {{ at: Point, pan: number, moved: boolean, apart: number } | null} */
  let pressed = null;
  /**
   * @param {MouseEvent} event
   * @returns {Point}
   */
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, place(event));
    pressed = { at: place(event), pan: view.pan, moved: false, apart: apart(fingers) };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    if (!pressed) return point(view, x, y, event);
    fingers.set(event.pointerId, [x, y]);
    if (fingers.size === 2) {
      const now = apart(fingers);
      const middle = [...fingers.values()].reduce((sum, [fx]) => sum + fx / 2, 0);
      if (pressed.apart > 8) view.zoomBy(now / pressed.apart, middle);
      pressed.apart = now;
      pressed.moved = true;
      return undefined;
    }
    if (Math.abs(x - pressed.at[0]) > 4) pressed.moved = true;
    if (pressed.moved) {
      canvas.classList.add("drag");
      tip.hide();
      view.pan = pressed.pan - (x - pressed.at[0]);
      view.clamp();
      view.ask();
    }
    return undefined;
  });
  const release = (/** @type {PointerEvent} */ event) => {
    fingers.delete(event.pointerId);
    if (pressed && !pressed.moved && event.type === "pointerup") choose(hit(view, ...place(event)));
    pressed = null;
    canvas.classList.remove("drag");
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => {
    if (!pressed) {
      hover(null);
      tip.hide();
    }
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      // A plain wheel scrolls the page; with Ctrl (what a pinch on a touchpad sends) it zooms, sideways it pans.
      if (event.ctrlKey) {
        event.preventDefault();
        view.zoomBy(Math.exp(-event.deltaY / 150), place(event)[0]);
      } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) && view.zoom > 1) {
        event.preventDefault();
        view.pan += event.deltaX;
        view.clamp();
        view.ask();
      }
    },
    { passive: false },
  );
  canvas.addEventListener("keydown", (event) => key(view, event));
}

/**
 * @param {NetworkView} view
 * @param {number} x
 * @param {number} y
 * @param {PointerEvent} event
 */
function point(view, x, y, event) {
  const found = hit(view, x, y);
  view.canvas.classList.toggle("over", Boolean(found));
  hover(found);
  if (!found) return tip.hide();
  const told = describe(view.data, state.growth, found);
  return tip.show(event.clientX, event.clientY, told.title, told.lines);
}

/**
 * @param {NetworkView} view
 * @param {KeyboardEvent} event
 */
function key(view, event) {
  const { data } = view;
  const at = state.chosen;
  const grown = data.order.filter((task) => state.growth.paths[task] >= 0);
  const task = at?.kind === "task" ? at.task : view.keyTask;
  const place = task === undefined ? -1 : grown.indexOf(task);
  const layers = task === undefined ? null : state.growth.layers(task);
  const slots = layers ? data.rows.filter((slot) => layers[slot] >= 0) : [];
  const row = at?.kind === "layer" ? slots.indexOf(data.layers.slot[at.layer]) : -1;
  const pick = (/** @type {Focus | null} */ wanted) => {
    state.chosen = null;
    choose(wanted);
  };
  const pickTask = (/** @type {number} */ task) => pick({ kind: "task", task: (view.keyTask = task) });
  const pickLayer = (/** @type {number} */ row) => layers && pick({ kind: "layer", layer: layers[slots[row]] });
  /** @type {Record<string, () => unknown>} */
  const acts = {
    ArrowRight: () => pickTask(grown[Math.min(grown.length - 1, place + 1)]),
    ArrowLeft: () => pickTask(grown[Math.max(0, place - 1)]),
    ArrowUp: () => slots.length && pickLayer(Math.min(slots.length - 1, row + 1)),
    ArrowDown: () => row > 0 && pickLayer(row - 1),
    Escape: () => pick(null),
    "+": () => view.zoomBy(1.6),
    "=": () => view.zoomBy(1.6),
    "-": () => view.zoomBy(1 / 1.6),
    0: () => view.fit(),
  };
  if (!acts[event.key] || event.ctrlKey || event.metaKey || !grown.length) return;
  event.preventDefault();
  event.stopPropagation();
  acts[event.key]();
  if (view.keyTask !== undefined) view.reveal(view.keyTask);
}

/**
 * The task or layer under a point of the canvas.
 * @param {NetworkView} view
 * @param {number} x
 * @param {number} y
 * @returns {Focus | null}
 */
function hit(view, x, y) {
  if (!view.data || x < view.left - 4) return null;
  const column = Math.round((x - view.left - view.inset + view.pan) / (view.pitch * view.zoom) - 0.5);
  if (y > view.foot || y < view.y[view.y.length - 1] - view.box) {
    const task = view.data.order[column];
    return task === undefined ? null : { kind: "task", task };
  }
  const step = view.pitch * view.zoom;
  for (let row = 0; row < view.y.length; row++) {
    if (Math.abs(y - view.y[row]) > view.box * 0.7) continue;
    for (const box of view.scene.boxes[row]) {
      if (Math.abs(x - view.x(box.x)) <= Math.max((box.width * step) / 2, 4))
        return { kind: "layer", layer: box.layer };
    }
  }
  return nearestLine(view, x, y);
}

/**
 * @param {NetworkView} view
 * @param {number} x
 * @param {number} y
 * @returns {Focus | null}
 */
function nearestLine(view, x, y) {
  /** @type {Focus | null} */
  let best = null;
  let distance = 7;
  const above = view.y.findIndex((row) => row < y); // the first row above the point
  for (const task of view.data.order) {
    if (state.growth.paths[task] < 0) continue;
    const column = view.data.column[task];
    const low =
      above > 0 ? view.scene.ports[above - 1][task] : above === 0 ? column : view.scene.ports[view.y.length - 1][task];
    const high = above >= 0 ? view.scene.ports[above][task] : column;
    const from = above > 0 ? view.y[above - 1] - view.box / 2 : above === 0 ? view.foot : view.y[view.y.length - 1];
    const to = above >= 0 ? view.y[above] + view.box / 2 : view.top - 8;
    const t = Math.max(0, Math.min(1, (from - y) / (from - to || 1)));
    const eased = t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * t) ** 3 / 2;
    const off = Math.abs(x - view.x(low + (high - low) * eased));
    if (off < distance) {
      distance = off;
      best = { kind: "task", task };
    }
  }
  return best;
}

/** @param {Map<number, Point>} fingers */
const apart = (fingers) => {
  const [a, b] = [...fingers.values()];
  return b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 0;
};
