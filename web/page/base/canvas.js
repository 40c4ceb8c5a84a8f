/* Text on canvases. */

import { shortened } from "./text.js";
import { theme } from "./theme.js";

/**
 * What draws on a canvas.
 * @param {HTMLCanvasElement} canvas
 */
export function pen(canvas) {
  const ctx = canvas.getContext("2d");
  if (!ctx) throw new Error("munet: this browser cannot draw on a canvas");
  return ctx;
}

/**
 * Width that the page has for a canvas.
 * @param {HTMLCanvasElement} canvas
 */
export const roomFor = (canvas) => canvas.parentElement?.clientWidth ?? 0;

/** Pixels of a canvas for one of the page; paper shows more than a window. */
export const sharpness = () =>
  document.documentElement.classList.contains("paper") ? 2 : Math.min(2, devicePixelRatio || 1);

/** @type {CanvasRenderingContext2D | undefined} */
let measuring;

/**
 * Width of a text in the page's font.
 * @param {string} text
 * @param {number} size
 */
export function widthOf(text, size = 12) {
  measuring ??= pen(document.createElement("canvas"));
  measuring.font = `${size}px ${theme.sans}`;
  return measuring.measureText(text).width;
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {number} angle in radians, clockwise
 * @param {CanvasTextAlign} align
 */
export function turned(ctx, text, x, y, angle, align) {
  ctx.save();
  ctx.translate(x, y);
  ctx.rotate(angle);
  ctx.textAlign = align;
  ctx.fillText(text, 0, 0);
  ctx.restore();
}

/**
 * A name on at most two lines, broken after _ - . / or a space where that helps.
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} name
 * @param {number} room width of a line
 */
export function folded(ctx, name, room) {
  /** @param {string} text */
  const wide = (text) => ctx.measureText(text).width;
  if (wide(name) <= room) return [name];
  /** @type {string[]} */
  const parts = name.match(/[^-_./ ]+[-_./ ]*|[-_./ ]+/g) || [name];
  let first = "";
  while (parts.length > 1 && wide(first + parts[0]) <= room) first += parts.shift();
  if (!first) return [shortened(name, room, wide)];
  return [first.trim(), shortened(parts.join(""), room, wide)];
}
