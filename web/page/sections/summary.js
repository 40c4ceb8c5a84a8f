/* What a reader should know within a minute: what the system learned, from whom, at what cost. */

import { bdi, h, swatch } from "../base/dom.js";
import {
  NOTHING,
  compact,
  count,
  counted,
  difference,
  duration,
  flops,
  known,
  percent,
  portion,
} from "../base/numbers.js";
import { listed } from "../base/text.js";
import { inWords, origins, spelled, spentFlops, teachers } from "./facts.js";

/** @param {Data} data */
function headline(data) {
  const { evolved_tasks: grown, tasks, unique_parameters: size } = data.totals;
  if (!tasks) return "A system without tasks";
  if (!grown) return tasks === 1 ? "One task, not evolved yet" : `${spelled(tasks)} tasks, none evolved yet`;
  const who = grown === 1 ? "One task" : `${spelled(grown)} tasks`;
  return `${who} in one network of ${inWords(size)} parameters`;
}

/**
 * @param {Data} data
 * @param {HTMLElement} body
 */
export function summary(data, body) {
  document.querySelectorAll("[data-headline]").forEach((node) => {
    node.textContent = headline(data);
  });
  document.querySelectorAll("[data-title]").forEach((node) => {
    node.textContent = data.title;
  });
  if (data.totals.evolved_tasks) body.append(h("div", { class: "trio" }, learned(data), fromWhom(data), cost(data)));
  else
    body.append(
      h(
        "p",
        { class: "none", css: { "margin-top": "24px" } },
        data.tasks.length
          ? [h("code", {}, "munet evolve"), " gives each task a model; then this page shows who shares which layers."]
          : [h("code", {}, "munet add"), " brings the first task."],
      ),
    );
  if (data.notes.length) body.append(notices(data.notes));
}

/** @param {string[]} notes */
function notices(notes) {
  const title = notes.length === 1 ? "One thing is missing here" : `${spelled(notes.length)} things are missing here`;
  return h(
    "details",
    { class: "notice", open: notes.length < 4 },
    h("summary", {}, title),
    h(
      "ul",
      {},
      notes.map((note) => h("li", {}, bdi(note))),
    ),
  );
}

/** @param {Data} data */
function learned(data) {
  const { totals } = data;
  const tested = data.tasks
    .filter((task) => known(task.test_accuracy))
    .sort((a, b) => difference(b.test_accuracy, a.test_accuracy));
  const strong = (/** @type {Task} */ task) => [
    h("strong", {}, bdi(task.name)),
    ` (${percent(task.test_accuracy, 1)}\u00a0%)`,
  ];
  const value = known(totals.mean_test_accuracy) ? totals.mean_test_accuracy : totals.mean_validation_accuracy;
  const gap = difference(totals.mean_validation_accuracy, totals.mean_test_accuracy);
  return h(
    "div",
    {},
    h("h3", {}, "What it learned"),
    h("p", { class: "figure" }, percent(value, 1), h("small", {}, " %")),
    h("p", { class: "what" }, `mean ${known(totals.mean_test_accuracy) ? "test" : "validation"} accuracy`),
    tested.length > 1 ? h("p", {}, "From ", strong(tested[0]), " to ", strong(tested[tested.length - 1]), ".") : null,
    known(gap)
      ? h(
          "p",
          {},
          Math.abs(gap) < 0.0005
            ? "Test and validation accuracy agree."
            : `On images it never saw, it is ${percent(Math.abs(gap), 1)} points ${gap > 0 ? "below" : "above"} its validation accuracy.`,
        )
      : null,
    totals.evolved_tasks < totals.tasks
      ? h("p", {}, `${counted(totals.tasks - totals.evolved_tasks, "task")} not evolved yet.`)
      : null,
  );
}

/** @param {Data} data */
function fromWhom(data) {
  const sums = origins(data),
    all = sums.own + sums.others + sums.root;
  /** @type {[name: keyof typeof sums, text: string, colour: Colour][]} */
  const parts = [
    ["own", "own", "var(--accent)"],
    ["others", "other tasks", "var(--no)"],
    ["root", "the root", "var(--root)"],
  ];
  const best = teachers(data).slice(0, 2);
  return h(
    "div",
    {},
    h("h3", {}, "From whom"),
    h("p", { class: "figure" }, all ? portion(1 - sums.own / all) : NOTHING, h("small", {}, " %")),
    h(
      "p",
      { class: "what" },
      sums.others
        ? "of the parameters a model uses were trained by others"
        : "of the parameters a model uses are as the root has them",
    ),
    h(
      "div",
      {
        class: "parts",
        role: "img",
        "aria-label": parts.map(([name, text]) => `${text} ${portion(sums[name] / all)}\u00a0%`).join(", "),
      },
      parts.map(([name, , colour]) => (sums[name] ? h("span", { colour, css: { flex: `${sums[name]} 0 0` } }) : null)),
    ),
    h(
      "ul",
      { class: "key" },
      parts.map(([name, text, colour]) =>
        h("li", {}, swatch(colour), `${text} ${all ? portion(sums[name] / all) : 0}\u00a0%`),
      ),
    ),
    best.length
      ? h(
          "p",
          {},
          listed(best.map((one) => h("strong", {}, bdi(data.tasks[one.task].name)))),
          " taught most: ",
          listed(best.map((one) => `${compact(one.parameters)} parameters to ${counted(one.learners.length, "task")}`)),
          ", a layer counted once for each user.",
        )
      : h("p", {}, "No task’s model uses layers that another task trained."),
  );
}

/** @param {Data} data */
function cost(data) {
  const { totals } = data;
  const { seconds } = totals;
  const alone = data.tasks.reduce((sum, task) => sum + (task.parameters || 0), 0);
  const saved = alone ? 1 - totals.unique_parameters / alone : NaN;
  const [value, unit] = (
    known(seconds) && seconds ? duration(seconds) : `${compact(totals.parameters_per_task)}`
  ).split(" ");
  return h(
    "div",
    {},
    h("h3", {}, "At what cost"),
    h("p", { class: "figure" }, value, h("small", {}, ` ${unit ?? ""}`)),
    h("p", { class: "what" }, seconds ? "of computing" : "parameters per task"),
    data.count
      ? h(
          "p",
          {},
          `${counted(totals.children, "child")} sampled, ${count(totals.accepted)} of them accepted`,
          spentFlops(data) ? `; ${flops(spentFlops(data))} spent.` : ".",
        )
      : null,
    h(
      "p",
      {},
      `${compact(totals.parameters_per_task)} parameters per task`,
      totals.evolved_tasks > 1 && saved > 0.004
        ? `, ${percent(saved, 0)}\u00a0% fewer than ${spelled(totals.evolved_tasks).toLowerCase()} models apart`
        : "",
      `; ${flops(totals.flops_per_task)} for a prediction.`,
    ),
  );
}
