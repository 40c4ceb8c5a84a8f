/* The section of network and time: puts its parts together and keeps them in step. */

import { $, bdi, clear, h, refill, swatch } from "./base/dom.js";
import { count, counted, scored } from "./base/numbers.js";
import { dataTable } from "./base/table.js";
import { taskColour } from "./base/theme.js";
import { atEnd, on, state } from "./model/state.js";
import { parentText } from "./network/describe.js";
import { Side } from "./network/side.js";
import { NetworkView } from "./network/view.js";
import { paintScores, paintStrip, paintTree } from "./time/paint.js";
import { TimePanel } from "./time/panel.js";
import { Transport } from "./time/transport.js";

export class Growing {
  /** @type {Data} */
  data;
  /** @type {ReturnType<typeof setTimeout> | 0} until what is written changes again */
  due = 0;

  /** @param {HTMLElement} host */
  constructor(host) {
    const drawing = h("div", { class: "drawing" }),
      side = h("div", { class: "side" });
    const time = h("div", { class: "controlled" }),
      panels = h("div", { class: "panels" });
    host.append(h("div", { class: "stage" }, drawing, side, time, panels));
    this.network = new NetworkView(drawing);
    this.side = new Side(side);
    this.transport = new Transport(time);
    this.strip = h("canvas", { class: "strip", "aria-hidden": "true" });
    time.append(h("div", {}, this.strip));
    this.timed = [time, panels];
    const scores = h("div", {}),
      tree = h("div", {});
    panels.append(scores, tree);
    this.tables = h("div");
    host.append(this.tables);
    this.panels = [
      new TimePanel(
        scores,
        "Scores",
        "a point is a child, hollow if rejected; lines follow the best of each task",
        168,
        "Score of every sampled child over time, one colour a task",
        paintScores,
      ),
      new TimePanel(
        tree,
        "Ancestors",
        "lines join child and parent; a + marks an ancestor of a model that stands at the end",
        150,
        "Tree of ancestors: lines from each child to its parent",
        paintTree,
      ),
    ];
    on("step", () => this.step());
    on("focus", () => {
      this.network.ask();
      this.panels.forEach((panel) => panel.draw());
    });
    on("choice", () => {
      this.side.choice();
      if (state.chosen?.kind === "task") this.network.reveal(state.chosen.task);
    });
    on("pause", () => this.transport.pause());
    on("play", () => {
      if (!state.playing) this.network.soften(false);
      this.written();
    });
    on("slow", () => this.network.soften(true));
    on("theme", () => this.paint());
    new ResizeObserver(() => this.layout()).observe(time);
  }

  /** @param {Data} data */
  set(data) {
    this.data = data;
    this.timed.forEach((part) => {
      part.hidden = data.count === 0;
    });
    $("[data-replay]").hidden = data.count === 0;
    $("[data-many]").hidden = data.families.length === 0;
    this.side.set(data);
    this.network.set(data, state.growth);
    this.transport.set(data);
    this.panels.forEach((panel) => panel.set(data, this.network.left ?? 104));
    this.layout();
    this.caption();
    refill(this.tables, (box) => {
      box.append(dataTable("Layers of each task’s model", () => layerRows(data)));
      if (data.count) box.append(dataTable("Every sampled child", () => childRows(data)));
    });
  }

  /* The slider's thumb stands above the same step of the panels. */
  layout() {
    if (!this.data || !this.network.left) return;
    const { left } = this.network;
    this.transport.slider.style.paddingLeft = `${left - 8}px`;
    this.transport.slider.style.paddingRight = "4px";
    this.panels.forEach((panel) => {
      if (panel.left !== left) {
        panel.left = left;
        panel.repaint();
      }
    });
    paintStrip(this.strip, this.data, left);
  }

  /* Everything for the width that there is now, not when a frame comes. */
  redraw() {
    this.network.resize();
    if (this.network.left) this.network.settle();
    this.panels.forEach((panel) => panel.resize());
    this.layout();
  }

  paint() {
    if (!this.data) return;
    this.side.list();
    this.side.choice();
    this.network.settle();
    this.panels.forEach((panel) => panel.repaint());
    this.layout();
  }

  step() {
    const quick = state.playing && this.transport.rate * this.transport.speed > 25;
    this.network.move(!quick && !matchMedia("(prefers-reduced-motion: reduce)").matches);
    this.panels.forEach((panel) => panel.draw());
    this.transport.update();
    // What is written changes a few times a second at most: no reader follows more, and it would cost frames.
    if (state.playing && !this.due)
      this.due = setTimeout(() => {
        this.due = 0;
        this.written();
      }, 160);
    if (!state.playing) this.written();
  }

  written() {
    this.transport.written();
    this.side.update();
    if (state.chosen && !state.playing) this.side.choice();
    this.caption();
  }

  caption() {
    const { now } = this.network,
      { data } = this;
    const said = h("span");
    clear(now).append(said);
    const grown = [...state.growth.paths].filter((path) => path >= 0).length;
    if (!data.tasks.length) said.append("No tasks yet.");
    else if (!grown && (atEnd() || !data.count)) said.append("No task has a model yet.");
    else if (atEnd())
      said.append(
        h(
          "b",
          {},
          data.tasks.length === grown ? counted(grown, "task") : `${grown} of ${counted(data.tasks.length, "task")}`,
        ),
        " as the system stands",
      );
    else {
      const step = state.step;
      now.prepend(h("span", { css: { "margin-right": "9px" } }, swatch(taskColour(data.task[step]))));
      said.append(
        h("b", {}, bdi(data.tasks[data.task[step]].name)),
        ` ${parentText(data, step)} · ${data.verdict(step)}`,
      );
    }
  }
}

/**
 * The network as it stands, for those who do not see the drawing.
 * @param {Data} data
 */
function layerRows(data) {
  const rows = data.order.flatMap((task) => {
    const layers = data.layersOf(data.retained[task]);
    return layers
      ? data.rows
          .filter((slot) => layers[slot] >= 0)
          .map((slot) => {
            const layer = layers[slot];
            const others = data.retained
              .map((path, other) =>
                other !== task && data.layersOf(path)?.[slot] === layer ? data.tasks[other].name : null,
              )
              .filter(Boolean);
            return [
              data.tasks[task].name,
              data.slots[slot],
              data.madeBy(layer, Infinity),
              others.join(", ") || "nobody",
              count(data.layers.parameters[layer]),
            ];
          })
      : [];
  });
  return [["task", "slot", "trained by", "shared with", "parameters"], ...rows];
}

/** @param {Data} data */
function childRows(data) {
  const rows = Array.from({ length: data.count }, (_, step) => [
    `child ${step + 1}`,
    data.tasks[data.task[step]]?.name,
    parentText(data, step),
    scored(data.score[step]),
    data.verdict(step),
    data.told(step).join(", "),
  ]);
  return [["child", "task", "parent", "score", "verdict", "what it changed"], ...rows];
}
