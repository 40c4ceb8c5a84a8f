/* What is said about a task, a layer or a model in the tooltip. */

import { compact, count, known, percent, scored } from "../base/numbers.js";
import { ROOT } from "../model/data.js";
import { atEnd } from "../model/state.js";

/**
 * @param {Data} data
 * @param {Growth} growth
 * @param {Focus} at
 */
export function describe(data, growth, at) {
  if (at.kind === "task") {
    const task = data.tasks[at.task];
    const grown = growth.paths[at.task] >= 0;
    return {
      title: task.name,
      lines: [
        grown ? `validation ${percent(growth.accuracy(at.task))}\u00a0%` : "no model yet at this step",
        task.by && atEnd() ? `evolved by ${task.by}` : "",
        grown && known(task.test_accuracy) && atEnd() ? `test ${percent(task.test_accuracy)}\u00a0%` : "",
        grown && known(task.accounted_parameters) && atEnd()
          ? `${compact(task.accounted_parameters)} accounted parameters`
          : "",
      ],
    };
  }
  if (at.kind === "layer") {
    const users = growth.users(at.layer);
    const names = users
      .slice(0, 4)
      .map((task) => data.tasks[task].name)
      .join(", ");
    return {
      title: data.slots[data.layers.slot[at.layer]],
      lines: [
        `trained by ${data.madeBy(at.layer)}`,
        `${count(data.layers.parameters[at.layer])} parameters`,
        users.length
          ? `used by ${users.length > 4 ? `${names} and ${users.length - 4} more` : names}`
          : "used by no task now",
      ],
    };
  }
  return {
    title: `Child ${count(at.step + 1)} of ${data.tasks[data.task[at.step]].name}`,
    lines: [
      data.verdict(at.step),
      known(data.score[at.step]) ? `score ${scored(data.score[at.step])}` : "no score",
      parentText(data, at.step),
    ],
  };
}

/**
 * @param {Data} data
 * @param {number} step
 */
export function parentText(data, step) {
  const parent = data.parent[step];
  if (parent === ROOT) return "from the root";
  if (parent < 0) return "from a parent that is not recorded";
  return data.task[parent] === data.task[step]
    ? `from its own child ${count(parent + 1)}`
    : `from child ${count(parent + 1)} of ${data.tasks[data.task[parent]].name}`;
}
