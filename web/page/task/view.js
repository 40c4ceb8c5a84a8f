/* The page of one task, in place of the sections while the address names it. Made when it is opened. */

import { $, bdi, choice, h, refill, select, swatch } from "../base/dom.js";
import { count, counted, known, percent } from "../base/numbers.js";
import { taskColour } from "../base/theme.js";
import { addressOf, taskAt } from "./address.js";
import { classes } from "./classes.js";
import { confusion } from "./confusion.js";
import { errors, samples } from "./pictures.js";
import { reliability } from "./reliability.js";

/** @typedef {"validation" | "test"} Split */

/** @type {Split} as the reader chose */
let split = "test";

/**
 * Opens the page that the address names, or closes the one that was open.
 * @param {Data} data
 */
export function route(data) {
  const task = taskAt(data, location.hash),
    open = task >= 0;
  const box = $("#task");
  const changes = box.hidden === open;
  box.hidden = !open;
  document.documentElement.toggleAttribute("data-task", open);
  if (open) {
    refill(box, () => box.append(...whole(data, task)));
    scrollTo({ top: 0, behavior: "instant" });
  } else if (changes) {
    box.replaceChildren();
    // The browser looked for it while the sections were hidden.
    if (location.hash.length > 1)
      document.getElementById(location.hash.slice(1))?.scrollIntoView({ behavior: "instant" });
  }
}

/**
 * Shows the open page anew, where there is one.
 * @param {Data} data
 */
export function renew(data) {
  const box = $("#task"),
    task = taskAt(data, location.hash);
  if (!box.hidden && task >= 0) refill(box, () => box.append(...whole(data, task)));
  else if (!box.hidden) route(data); // the task is gone
}

/**
 * @param {Data} data
 * @param {number} number
 */
function whole(data, number) {
  const task = data.tasks[number],
    seen = data.seen(number);
  const body = h("div", { class: "stack" });
  if (seen) parts(seen, task.private, taskColour(number), body);
  const head = [
    h("p", { class: "kicker" }, h("a", { href: "#tasks" }, "← The whole system")),
    h(
      "h1",
      {},
      swatch(taskColour(number)),
      bdi(task.name),
      task.private ? h("span", { class: "tag" }, "private") : null,
    ),
    h("p", { class: "how" }, sentence(data, number)),
    others(data, number),
  ];
  if (seen) return [...head, body];
  return [...head, h("p", { class: "none" }, `No images of this task are shown: ${data.missing(number)}.`)];
}

/**
 * @param {Data} data
 * @param {number} number
 */
function sentence(data, number) {
  const task = data.tasks[number],
    seen = data.seen(number);
  const what = `${counted(task.classes ?? 0, "class")}, ${count(task.train_examples)} training images. `;
  if (!seen) return what;
  const on = (/** @type {Split} */ name) =>
    `${percent(seen[name].correct / seen[name].examples)}\u00a0% of ${count(seen[name].examples)} ${name} images`;
  const five = known(seen.test.top_5)
    ? `; the right class is among its first five answers for ${percent(seen.test.top_5)}\u00a0% of the test images`
    : "";
  return (
    `${what}Right on ${on("test")}, which nothing was selected on, and on ${on("validation")}, on which its model was ` +
    `selected${five}. Measured for this page with model ${task.model}; images as its network gets them.`
  );
}

/**
 * @param {Data} data
 * @param {number} number
 */
function others(data, number) {
  const names = data.tasks.map(({ name }, n) => /** @type {[string, string]} */ ([String(n), name]));
  const go = (/** @type {string} */ wanted) => {
    location.hash = addressOf(data.tasks[Number(wanted)]);
  };
  return h("div", { class: "controls" }, select("Task", names, String(number), go));
}

/**
 * @param {Seen} seen
 * @param {boolean} isPrivate
 * @param {Colour} colour
 * @param {HTMLElement} body
 */
function parts(seen, isPrivate, colour, body) {
  const measured = h("div", { class: "stack" });
  const show = (/** @type {Split} */ wanted) => {
    split = wanted;
    refill(measured, () =>
      measured.append(
        errors(seen, split),
        confusion(seen, split),
        h("div", { class: "matrix" }, classes(seen, split, colour), reliability(seen[split], split, colour)),
      ),
    );
  };
  const control = choice(
    "Split",
    [
      ["test", "test split"],
      ["validation", "validation split"],
    ],
    split,
    (value) => show(value === "test" ? "test" : "validation"),
  );
  body.append(
    samples(seen, isPrivate),
    h("div", { class: "controls", css: { margin: "0" } }, "What the model answers on the ", control),
    measured,
  );
  show(split);
}
