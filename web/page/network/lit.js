/* What stands out in the network. */

import { focus } from "../model/state.js";

/**
 * What is lit while something is in focus: {tasks, layers} as sets, or null for everything.
 * @param {Data} data
 * @param {Growth} growth
 * @param {string} query
 */
export function lit(data, growth, query) {
  const at = focus();
  if (at?.kind === "task") {
    const layers = growth.layers(at.task);
    return { tasks: new Set([at.task]), layers: new Set(layers || []) };
  }
  if (at?.kind === "layer") return { tasks: new Set(growth.users(at.layer)), layers: new Set([at.layer]) };
  if (at?.kind === "model") {
    const layers = data.layersOf(data.children.path[at.step]);
    const way = layers ? { task: data.task[at.step], layers, own: new Set() } : data.sampled(at.step);
    return way
      ? { tasks: new Set(), named: way.task, accuracy: data.accuracy[at.step], layers: new Set(way.layers), way }
      : null;
  }
  if (!query) return null;
  const tasks = new Set(data.order.filter((task) => matches(data, task, query)));
  const layers = new Set();
  for (const task of tasks) for (const layer of growth.layers(task) || []) layers.add(layer);
  data.layers.id.forEach((id, layer) => {
    if (query.length > 3 && id.startsWith(query)) {
      layers.add(layer);
      growth.users(layer).forEach((t) => tasks.add(t));
    }
  });
  return { tasks, layers };
}

/**
 * @param {Data} data
 * @param {number} task
 * @param {string} query
 */
export function matches(data, task, query) {
  const { name, model } = data.tasks[task];
  return name.toLowerCase().includes(query) || (query.length > 3 && (model || "").startsWith(query));
}
