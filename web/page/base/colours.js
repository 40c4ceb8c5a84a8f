/* Colours worked out from others. */

import { theme } from "./theme.js";

/**
 * Shade for a part of the scale, through three colours.
 * @param {number} part
 */
export function heat(part) {
  const [low, middle, high] = /** @type {const} */ (["heat-0", "heat-1", "heat-2"]).map((name) => theme.colours[name]);
  return part < 0.5 ? mixed(low, middle, 2 * part) : mixed(middle, high, 2 * part - 1);
}

/**
 * A colour between two others, mixed where equal steps look equal enough (square of the channels).
 * @param {Colour} from
 * @param {Colour} to
 * @param {number} part
 */
function mixed(from, to, part) {
  const channel = (/** @type {Colour} */ colour, /** @type {number} */ at) => parseInt(colour.slice(at, at + 2), 16);
  return `#${[1, 3, 5]
    .map((at) =>
      Math.round(Math.sqrt(channel(from, at) ** 2 * (1 - part) + channel(to, at) ** 2 * part))
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;
}

/**
 * Ink on a fill: whichever of dark and white reads better (relative luminance of WCAG 2).
 * @param {Colour} colour
 */
export function inkOn(colour) {
  const channels = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  const [r, g, b] = channels.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.3 ? "#1b2127" : "#ffffff";
}
