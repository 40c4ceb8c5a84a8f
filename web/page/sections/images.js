/* The tasks' images: a few of each, and the way to all that is known of them. */

import { bdi, h, swatch } from "../base/dom.js";
import { count, percent } from "../base/numbers.js";
import { taskColour } from "../base/theme.js";
import { some } from "../charts/some.js";
import { addressOf } from "../task/address.js";
import { picture } from "../task/pictures.js";

const FEW = 5;

/** @type {Section} */
export const images = {
  id: "images",
  name: "Images",
  title: "What it sees, and what it gets wrong",
  how:
    "A few test images of each task, and how many are answered wrongly. Each task has a page with its images, the worst " +
    "errors, what is taken for what, every class, and how sure its model is.",
  themed: true,
  fill,
};

/**
 * @param {Data} data
 * @param {HTMLElement} body
 */
function fill(data, body) {
  const tasks = data.order.filter((task) => data.tasks[task].model);
  if (!tasks.length) {
    body.append(h("p", { class: "none" }, "No task has a model yet."));
    return;
  }
  if (tasks.every((task) => !data.images[task])) {
    body.append(
      h("p", { class: "none" }, "The images were left out of this page: munet report without --no-images has them."),
    );
    return;
  }
  const list = h("ul", { class: "tasks" });
  body.append(some("tasks with their images", tasks, 24, (task) => entry(data, task), list));
}

/**
 * @param {Data} data
 * @param {number} number
 */
function entry(data, number) {
  const task = data.tasks[number],
    seen = data.seen(number);
  const wrong = seen ? seen.test.examples - seen.test.correct : 0;
  return h(
    "li",
    {},
    h("span", { class: "named" }, swatch(taskColour(number)), h("a", { href: addressOf(task) }, bdi(task.name))),
    seen?.samples.length
      ? h(
          "div",
          { class: "strip-of-images" },
          firsts(seen).map(([label, image, address]) =>
            picture(address, `test image ${image} of class ${seen.classes[label]}`),
          ),
        )
      : null,
    h(
      "span",
      { class: "small" },
      seen
        ? `${percent(seen.test.correct / seen.test.examples, 1)}\u00a0% right, ${count(wrong)} of ${count(seen.test.examples)} wrong${task.private && !seen.samples.length ? "; its images are private" : ""}`
        : `not shown: ${data.missing(number)}`,
    ),
  );
}

/**
 * The first samples of different classes.
 * @param {Seen} seen
 */
function firsts(seen) {
  const classes = new Set();
  const one = seen.samples.filter(([label]) => !classes.has(label) && classes.add(label));
  return (one.length < FEW ? seen.samples : one).slice(0, FEW);
}
