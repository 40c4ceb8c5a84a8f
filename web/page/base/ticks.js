/* Values that stand on an axis. */

/**
 * Round values that divide [low, high] into about `wanted` parts.
 * @param {number} low
 * @param {number} high
 * @param {number} wanted
 */
export function ticks(low, high, wanted) {
  const raw = (high - low || 1) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5].map((m) => m * power).find((m) => m >= raw * 0.999) ?? 10 * power;
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++)
    found.push(+(n * step).toPrecision(12));
  return found;
}

/**
 * The same for seconds, in minutes, hours or days.
 * @param {number} low
 * @param {number} high
 * @param {number} wanted
 */
export function timeTicks(low, high, wanted) {
  const unit = [86400, 3600, 60, 1].find((size) => high - low > 1.5 * size) ?? 1;
  return ticks(low / unit, high / unit, wanted).map((value) => value * unit);
}

/**
 * Of values in the order of their weight, those that lie inside and far enough from all before them.
 * @template T
 * @param {T[]} values
 * @param {(value: T) => number} place
 * @param {number} low
 * @param {number} high
 * @param {number} room
 */
export function apartFrom(values, place, low, high, room) {
  /** @type {T[]} */
  const found = [];
  for (const value of values) {
    const y = place(value);
    if (y >= low && y <= high && found.every((other) => Math.abs(place(other) - y) >= room)) found.push(value);
  }
  return found;
}

/**
 * Places for labels that want to stand at `wanted`, at least `gap` apart within [low, high], in the same order; the room
 * must be enough for all.
 * @param {number[]} wanted
 * @param {number} low
 * @param {number} high
 * @param {number} gap
 */
export function movedApart(wanted, low, high, gap) {
  const order = wanted.map((_, n) => n).sort((a, b) => wanted[a] - wanted[b]);
  const places = wanted.map((at) => Math.max(low, Math.min(high, at)));
  for (let n = 1; n < order.length; n++) places[order[n]] = Math.max(places[order[n]], places[order[n - 1]] + gap);
  let most = high;
  for (const one of order.reverse()) {
    places[one] = Math.min(places[one], most);
    most = places[one] - gap;
  }
  return places;
}
