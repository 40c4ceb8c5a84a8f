/* Beside the network: search, what is chosen, and all tasks as buttons, which are the legend too. */

import { bdi, clear, h, swatch } from "../base/dom.js";
import { NOTHING, known, percent } from "../base/numbers.js";
import { taskColour } from "../base/theme.js";
import { choose, emit, hover, same, state } from "../model/state.js";
import { card } from "./cards.js";
import { matches } from "./lit.js";

export class Side {
  /** @type {Data} */
  data;
  /** @type {number | undefined} the first task of the list */
  first;
  /** @type {Map<number, HTMLElement>} where each task's accuracy stands */
  values = new Map();

  /** @param {HTMLElement} host */
  constructor(host) {
    this.search = h("input", {
      type: "search",
      placeholder: "Find a task, model or layer",
      "aria-label": "Find a task by name, or a model or layer by the start of its id",
      oninput: () => {
        state.query = this.search.value.trim().toLowerCase();
        this.list();
        emit("focus");
      },
    });
    this.card = h("div", { "aria-live": "polite" });
    this.legend = h("ul", { class: "legend", "aria-label": "Tasks" });
    this.rest = h("div", { class: "fill" }, this.card, this.legend);
    host.append(this.search, this.rest);
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && this.first !== undefined) choose({ kind: "task", task: this.first });
    });
  }

  /** @param {Data} data */
  set(data) {
    this.data = data;
    this.list();
    this.choice();
  }

  list() {
    const { data } = this;
    clear(this.legend);
    this.first = undefined;
    this.values = new Map();
    for (const task of data.order) {
      if (state.query && !matches(data, task, state.query)) continue;
      this.first ??= task;
      /** @type {Focus} */
      const at = { kind: "task", task };
      const value = h("span", { class: "value" });
      this.values.set(task, value);
      this.legend.append(
        h(
          "li",
          {},
          h(
            "button",
            {
              type: "button",
              "aria-pressed": String(same(state.chosen, at)),
              title: data.tasks[task].name,
              onclick: () => choose(at),
              onpointerenter: () => hover(at),
              onpointerleave: () => hover(null),
              onfocus: () => hover(at),
              onblur: () => hover(null),
            },
            swatch(taskColour(task)),
            bdi(data.tasks[task].name),
            value,
          ),
        ),
      );
    }
    if (this.first === undefined)
      this.legend.append(h("li", { class: "small" }, state.query ? "No task of that name." : "No tasks."));
    this.update();
  }

  /* Accuracies at the present step. */
  update() {
    for (const [task, value] of this.values) {
      const accuracy = state.growth.accuracy(task);
      const text = known(accuracy) ? `${percent(accuracy, 1)}\u00a0%` : NOTHING;
      if (value.textContent !== text) value.textContent = text;
      value.parentElement?.classList.toggle("idle", state.growth.paths[task] < 0);
    }
  }

  choice() {
    clear(this.card);
    if (state.chosen) this.card.append(card(this.data, state.growth, state.chosen));
    for (const button of this.legend.querySelectorAll("button")) button.setAttribute("aria-pressed", "false");
    if (state.chosen?.kind === "task")
      this.values.get(state.chosen.task)?.parentElement?.setAttribute("aria-pressed", "true");
    this.rest.scrollTop = 0;
  }
}
