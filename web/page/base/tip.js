/* The one tooltip. What it says stands in the details beside the picture too; this is for the pointer only. */

import { $, clear, h } from "./dom.js";

export const tip = {
  /**
   * @param {number} x of the pointer in the window
   * @param {number} y
   * @param {string} title
   * @param {string[]} lines empty ones are left out
   */
  show(x, y, title, lines) {
    const box = $("#tip");
    clear(box).append(h("b", {}, title), ...lines.filter(Boolean).map((line) => h("span", {}, line)));
    box.hidden = false;
    const { width, height } = box.getBoundingClientRect();
    const left = x + 16 + width > innerWidth - 8 ? x - 16 - width : x + 16;
    box.style.left = `${Math.max(8, Math.min(innerWidth - width - 8, left))}px`;
    box.style.top = `${Math.max(8, Math.min(innerHeight - height - 8, y + 18 + height > innerHeight ? y - height - 12 : y + 18))}px`;
  },
  hide() {
    $("#tip").hidden = true;
  },
};

/**
 * Gives an element of a chart a tooltip.
 * @template {HTMLElement | SVGElement} T
 * @param {T} node
 * @param {string} title
 * @param {string[]} lines
 * @returns {T}
 */
export function mark(node, title, lines = []) {
  node.classList.add("mark");
  const show = (/** @type {PointerEvent} */ event) => tip.show(event.clientX, event.clientY, title, lines);
  node.addEventListener("pointermove", /** @type {EventListener} */ (show));
  node.addEventListener("pointerleave", tip.hide);
  return node;
}
