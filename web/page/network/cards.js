/* What is said about a task, a layer or a model on the card beside the network. */

import { bdi, h, named, swatch } from "../base/dom.js";
import { NOTHING, compact, count, duration, gapText, known, percent, scored } from "../base/numbers.js";
import { listed } from "../base/text.js";
import { taskColour } from "../base/theme.js";
import { ROOT } from "../model/data.js";
import { atEnd, choose } from "../model/state.js";
import { addressOf } from "../task/address.js";
import { parentText } from "./describe.js";

/** @typedef {import("../base/dom.js").Child} Child */

/**
 * @param {string} term
 * @param {Child} value
 */
const row = (term, value) => [h("dt", {}, term), h("dd", {}, value)];

/**
 * @param {Data} data
 * @param {number} task
 */
const taskLink = (data, task) =>
  task < 0
    ? h("span", {}, data.taskName(task))
    : h(
        "button",
        { type: "button", class: "link", onclick: () => choose({ kind: "task", task }) },
        bdi(data.tasks[task].name),
      );

/**
 * @param {number} step
 * @param {Child} text
 */
const modelLink = (step, text) =>
  h(
    "button",
    {
      type: "button",
      class: "link",
      onclick: () => {
        choose({ kind: "model", step });
      },
    },
    text,
  );

/**
 * @param {Data} data
 * @param {Growth} growth
 * @param {Focus} at
 */
export function card(data, growth, at) {
  const parts =
    at.kind === "task"
      ? taskCard(data, growth, at.task)
      : at.kind === "layer"
        ? layerCard(data, growth, at.layer)
        : modelCard(data, at.step);
  const close = h(
    "button",
    { type: "button", class: "quiet", "aria-label": "Clear the choice", onclick: () => choose(at) },
    "✕",
  );
  return h("div", { class: "card" }, h("header", {}, h("h3", {}, parts.title), close), parts.body);
}

/**
 * @param {Data} data
 * @param {Growth} growth
 * @param {number} number
 */
function taskCard(data, growth, number) {
  const task = data.tasks[number];
  const now = growth.model(number);
  const facts = h(
    "dl",
    {},
    row("validation", `${percent(growth.accuracy(number))}\u00a0%`),
    atEnd() ? [row("test", `${percent(task.test_accuracy)}\u00a0%`), row("gap", gapOf(task))] : null,
    row("classes", count(task.classes)),
    now ? row("parameters", count(now.parameters)) : null,
    now && atEnd() && known(task.accounted_parameters)
      ? [row("accounted", count(task.accounted_parameters)), row("FLOPs", compact(task.flops))]
      : null,
    now ? row("model", h("code", {}, now.id || NOTHING)) : null,
  );
  const layers = growth.layers(number);
  /** @type {HTMLElement[]} */
  const body = [facts, h("p", {}, h("a", { href: addressOf(task) }, "Its images and its errors"))];
  if (!layers) body.push(h("p", { class: "small" }, task.model ? "No model at this step." : "Not evolved yet."));
  else body.push(h("h4", {}, "Layers, from head to images"), layerList(data, growth, number, layers));
  const lineage = data.lineages[number] || [];
  if (lineage.length && atEnd()) body.push(h("h4", {}, "Lineage, newest first"), lineageList(data, lineage));
  return { title: named(taskColour(number), task.name), body };
}

/**
 * @param {Data} data
 * @param {Growth} growth
 * @param {number} task
 * @param {Int32Array} layers
 */
function layerList(data, growth, task, layers) {
  const items = [...data.rows.keys()]
    .reverse()
    .map((n) => data.rows[n])
    .filter((slot) => layers[slot] >= 0)
    .map((slot) => {
      const layer = layers[slot],
        by = data.by(layer),
        users = growth.users(layer).length;
      return h(
        "li",
        {},
        swatch(taskColour(by)),
        h(
          "button",
          { type: "button", class: "link", onclick: () => choose({ kind: "layer", layer }) },
          data.slots[slot],
        ),
        h(
          "span",
          { class: "value" },
          own(data, layer, task) ? "own" : by === ROOT ? "root" : bdi(data.taskName(by)),
          users > 1 ? ` · ${users} tasks` : "",
        ),
      );
    });
  return h("ul", { class: "long" }, items);
}

/**
 * Whether a task trained a layer, alone or with others.
 * @param {Data} data
 * @param {number} layer
 * @param {number} task
 */
const own = (data, layer, task) => data.makers(layer).includes(task);

/**
 * @param {Data} data
 * @param {Ancestor[]} lineage
 */
function lineageList(data, lineage) {
  return h(
    "ol",
    { class: "long" },
    lineage.map((entry) => {
      const title = data.taskName(entry.task);
      const name = known(entry.step) ? modelLink(entry.step, bdi(title)) : bdi(title);
      const changes = known(entry.step) ? h("span", { class: "small" }, ` ${data.told(entry.step).join(", ")}`) : "";
      return h(
        "li",
        {},
        swatch(taskColour(entry.task)),
        h("span", {}, name, changes),
        h(
          "span",
          { class: "value" },
          known(entry.validation_accuracy) ? `${percent(entry.validation_accuracy, 1)}\u00a0%` : "",
        ),
      );
    }),
  );
}

/** @param {Task} task */
const gapOf = (task) => `${gapText(task.validation_accuracy, task.test_accuracy)}\u00a0points`;

/**
 * @param {Data} data
 * @param {Growth} growth
 * @param {number} layer
 */
function layerCard(data, growth, layer) {
  const by = data.by(layer),
    users = growth.users(layer),
    id = data.layers.id[layer];
  const body = [
    h(
      "dl",
      {},
      row("trained by", listed(data.makers(layer).map((task) => taskLink(data, task)))),
      row("parameters", count(data.layers.parameters[layer])),
      id ? row("layer", h("code", {}, id)) : null,
    ),
    h("h4", {}, users.length === 1 ? "Used by 1 task" : `Used by ${users.length} tasks`),
    h(
      "ul",
      { class: "long" },
      users.map((task) =>
        h(
          "li",
          {},
          swatch(taskColour(task)),
          taskLink(data, task),
          h("span", { class: "value" }, `${percent(growth.accuracy(task), 1)}\u00a0%`),
        ),
      ),
    ),
  ];
  return { title: named(taskColour(by), data.slots[data.layers.slot[layer]]), body };
}

/**
 * @param {Data} data
 * @param {number} step
 */
function modelCard(data, step) {
  const { children } = data,
    task = data.task[step];
  const chain = data.chain(step).slice(1);
  const body = [
    h("p", { class: "small" }, data.verdict(step)),
    h(
      "dl",
      {},
      row("task", taskLink(data, task)),
      row("score", scored(data.score[step])),
      row("validation", `${percent(data.accuracy[step])}\u00a0%`),
      row("parameters", count(children.parameters[step])),
      row("time", duration(children.seconds[step])),
      row("task iteration", `${children.iteration[step] + 1}, generation ${children.generation[step] + 1}`),
      children.model[step] ? row("model", h("code", {}, children.model[step])) : null,
    ),
    h("h4", {}, "What it changed"),
    h("p", { class: "small", css: { margin: "0" } }, data.told(step).join(", ")),
    h("h4", {}, chain.length ? "Its ancestors" : parentText(data, step)),
    h(
      "ol",
      { class: "long" },
      chain.map((one) =>
        h(
          "li",
          {},
          swatch(taskColour(data.task[one])),
          modelLink(one, [`${count(one + 1)} `, bdi(data.tasks[data.task[one]].name)]),
          h("span", { class: "value" }, known(data.score[one]) ? scored(data.score[one]) : ""),
        ),
      ),
    ),
  ];
  return { title: named(taskColour(task), `Child ${count(step + 1)}`), body };
}
