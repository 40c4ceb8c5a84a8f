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
 * Tasks whose layers other tasks use that did not train them, by the parameters of those, each counted for each user.
 * @param {Data} data
 */
export function teachers(data) {
  const found = data.tasks.map((_, task) => ({ task, learners: /** @type {number[]} */ ([]), parameters: 0 }));
  data.retained.forEach((path, learner) => {
    for (const layer of data.layersOf(path) || []) {
      if (layer < 0 || data.makers(layer).includes(learner)) continue;
      for (const by of data.makers(layer).filter((task) => task >= 0)) {
        if (!found[by].learners.includes(learner)) found[by].learners.push(learner);
        found[by].parameters += data.layers.parameters[layer];
      }
    }
  });
  return found
    .filter((one) => one.learners.length)
    .sort((a, b) => b.parameters - a.parameters || b.learners.length - a.learners.length || a.task - b.task);
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
