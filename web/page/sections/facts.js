/* Facts about the whole system that several sections tell. */

import { count, digits } from "../base/numbers.js";
import { ROOT } from "../model/data.js";

/**
 * Parameters of the retained models by who trained them: {own, others, root}, one count for each use.
 * @param {Data} data
 */
export function origins(data) {
  const sums = { own: 0, others: 0, root: 0 };
  data.retained.forEach((path, task) => {
    for (const layer of data.layersOf(path) || []) {
      if (layer < 0) continue;
      const makers = data.makers(layer);
      sums[makers[0] === ROOT ? "root" : makers.includes(task) ? "own" : "others"] += data.layers.parameters[layer];
    }
  });
  return sums;
}

/**
 * Tasks by the number of other tasks that have them among their ancestors and use layers that they trained, most first.
 * @param {Data} data
 */
export function teachers(data) {
  const found = data.tasks.map((_, ancestor) => ({
    task: ancestor,
    learners: data.tasks
      .map((__, t) => t)
      .filter((t) => t !== ancestor && data.flow[t]?.[ancestor] > 0 && uses(data, t, ancestor)),
  }));
  return found
    .filter((one) => one.learners.length)
    .sort((a, b) => b.learners.length - a.learners.length || a.task - b.task);
}

/**
 * Whether the retained model of a task has a layer that another task trained, and not itself.
 * @param {Data} data @param {number} task @param {number} other
 */
const uses = (data, task, other) =>
  (data.layersOf(data.retained[task]) || []).some((layer) => layer >= 0 && trained(data, layer, other, task));

/**
 * @param {Data} data @param {number} layer @param {number} by @param {number} without
 */
function trained(data, layer, by, without) {
  const makers = data.makers(layer);
  return makers.includes(by) && !makers.includes(without);
}

/** @param {number} n */
export const spelled = (n) =>
  n < 13
    ? ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"][n]
    : count(n);

/** @param {number} value */
export const inWords = (value) =>
  value >= 1e9 ? `${digits(value / 1e9)} billion` : value >= 1e6 ? `${digits(value / 1e6)} million` : count(value);

/** @param {Data} data */
export const spentFlops = (data) => data.totals.flops_spent.train + data.totals.flops_spent.validation;
