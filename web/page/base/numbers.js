/* Numbers as text, the same way everywhere. */

export const NOTHING = "–";

/**
 * @param {number | null | undefined} value
 * @returns {value is number}
 */
export const known = (value) => value !== null && value !== undefined && Number.isFinite(value);

/**
 * null counts as 0 in JavaScript's arithmetic; what is not known must stay so.
 * @param {number | null | undefined} a
 * @param {number | null | undefined} b
 */
export const difference = (a, b) => (known(a) && known(b) ? a - b : NaN);

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** @param {number | null | undefined} value */
export const count = (value) => (known(value) ? grouped.format(value) : NOTHING);

/**
 * @param {number | null | undefined} value from 0 to 1
 * @param {number} digits after the point
 */
export const percent = (value, digits = 2) => (known(value) ? (100 * value).toFixed(digits) : NOTHING);

/**
 * A part of a whole in percent, without digits: what is more than nothing is not 0, and what is less than all not 100.
 * @param {number} value from 0 to 1
 */
export const portion = (value) =>
  value > 0 && value < 0.005 ? "<\u00a01" : value >= 0.995 && value < 1 ? ">\u00a099" : percent(value, 0);

/** @param {number | null | undefined} value a score, which is no share of images */
export const scored = (value) => (known(value) ? value.toFixed(4) : NOTHING);

/**
 * The gap: validation minus test accuracy, in points; what selection on validation promised too much.
 * @param {number | null | undefined} validation
 * @param {number | null | undefined} test
 */
export function gapText(validation, test) {
  const gap = difference(validation, test);
  return known(gap) ? `${gap < 0 ? "−" : "+"}${(100 * Math.abs(gap)).toFixed(2)}` : NOTHING;
}

/**
 * @param {number} value
 * @param {string} noun for one
 */
export const counted = (value, noun) => {
  const ending = value === 1 ? "" : noun.endsWith("s") ? "es" : "s";
  return `${count(value)} ${noun === "child" && value !== 1 ? "children" : noun + ending}`;
};

/** @type {[limit: number, sign: string][]} */
const SIZES = [
  [1e18, "E"],
  [1e15, "P"],
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/**
 * 1485706 -> "1.49 M": three digits that count.
 * @param {number | null | undefined} value
 * @param {string} unit
 */
export function compact(value, unit = "") {
  if (!known(value)) return NOTHING;
  for (const [limit, sign] of SIZES) {
    if (Math.abs(value) >= 0.9995 * limit) return `${digits(value / limit)} ${sign}${unit}`;
  }
  return `${digits(value)}${unit ? ` ${unit}` : ""}`;
}

/** @param {number} value */
export const digits = (value) =>
  Math.abs(value) >= 99.95 || Number.isInteger(value)
    ? value.toFixed(0)
    : Math.abs(value) >= 9.995
      ? value.toFixed(1)
      : value.toFixed(2);

/** @param {number | null | undefined} value */
export const flops = (value) => compact(value, "FLOP");

/**
 * `0`, `13.6 s`; from a minute on as a terminal says it: `1:15`, `1:01:15`; `10 days`.
 * @param {number | null | undefined} seconds
 */
export function duration(seconds) {
  if (!known(seconds)) return NOTHING;
  if (seconds === 0) return "0";
  if (seconds < 59.5) return `${digits(seconds)} s`;
  if (seconds >= 96 * 3600) return `${digits(seconds / 86400)} days`;
  const whole = Math.round(seconds),
    hours = Math.floor(whole / 3600),
    minutes = Math.floor(whole / 60) % 60,
    two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
