/* The slider of time and the play button. */

import { $, h } from "../base/dom.js";
import { count, known, scored } from "../base/numbers.js";
import { atEnd, emit, goto, state } from "../model/state.js";
import { parentText } from "../network/describe.js";

const PLAY_SECONDS = 45; // for all children at the middle speed

const SPEEDS = [
  ["0.25", "¼ ×"],
  ["1", "1 ×"],
  ["4", "4 ×"],
];

export class Transport {
  /** @type {Data} */
  data;
  /** Children a second, before the reader's choice of speed. */
  rate = 1;
  speed = 1;
  /** Where it plays, between steps. */
  at = 0;
  /** @type {number | null} of the frame before */
  time = null;
  /** Milliseconds between frames, on average of late. */
  pace = 16;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.play = h("button", { type: "button", class: "play", onclick: () => this.toggle() }, "▶ Play");
    this.said = h("output", { for: "step" });
    this.range = h("input", {
      type: "range",
      id: "step",
      min: "0",
      step: "1",
      "aria-label": "Step: children sampled so far",
      oninput: () => {
        this.pause();
        goto(Number(this.range.value));
      },
    });
    const button = (/** @type {string} */ text, /** @type {string} */ label, /** @type {() => void} */ act) =>
      h(
        "button",
        {
          type: "button",
          "aria-label": label,
          title: label,
          onclick: () => {
            this.pause();
            act();
          },
        },
        text,
      );
    const speed = h(
      "select",
      {
        "aria-label": "Speed",
        onchange: () => {
          this.speed = Number(speed.value);
        },
      },
      SPEEDS.map(([value, text]) => h("option", { value, selected: value === "1" }, text)),
    );
    this.buttons = h(
      "div",
      { class: "transport" },
      this.play,
      button("«", "To the first child", () => goto(0)),
      button("−1", "One child back", () => goto(state.step - 1)),
      button("+1", "One child on", () => goto(state.step + 1)),
      button("»", "To the last child", () => goto(Infinity)),
      speed,
      this.said,
    );
    this.slider = h("div", { class: "slider" }, this.range);
    host.append(this.buttons, this.slider);
    document.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {Data} data */
  set(data) {
    this.data = data;
    this.range.max = String(Math.max(0, data.count - 1));
    this.rate = Math.min(600, Math.max(2.5, data.count / PLAY_SECONDS));
    this.update();
    this.written();
  }

  /**
   * Space plays and arrows step, unless the reader is in a field or on a button that has use for them.
   * @param {KeyboardEvent} event
   */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.data?.count) return;
    const at = event.target instanceof Element ? event.target : null;
    const inside = at?.closest("input, select, textarea, button, a, summary, canvas, [tabindex]");
    if (inside && !(event.key === " " && inside.matches("#step, canvas.network, canvas.time"))) return;
    const box = $("#network").getBoundingClientRect();
    if (box.bottom < 80 || box.top > innerHeight - 80) return;
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === " ") this.toggle();
    else if (by) {
      this.pause();
      goto(state.step + by * (event.shiftKey ? 10 : 1));
    } else return;
    event.preventDefault();
  }

  toggle() {
    if (state.playing) this.pause();
    else this.start();
  }

  start() {
    if (atEnd()) goto(0);
    state.playing = true;
    this.play.textContent = "❚❚ Pause";
    this.at = state.step;
    this.time = null;
    this.pace = 16;
    const tick = (/** @type {number} */ time) => {
      if (!state.playing) return;
      this.at += ((time - (this.time ?? time)) / 1000) * this.rate * this.speed;
      if (this.time !== null) this.pace += (time - this.time - this.pace) * 0.06;
      this.time = time;
      if (this.pace > 27) emit("slow");
      goto(this.at);
      if (atEnd()) this.pause();
      else requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    emit("play");
  }

  pause() {
    if (!state.playing) return;
    state.playing = false;
    this.play.textContent = "▶ Play";
    emit("play");
  }

  update() {
    this.range.value = String(state.step);
  }

  written() {
    if (!this.data.count) return;
    this.said.textContent = `Child ${count(state.step + 1)} of ${count(this.data.count)}`;
    if (!state.playing) this.range.setAttribute("aria-valuetext", stepText(this.data));
  }
}

/** @param {Data} data */
function stepText(data) {
  const step = state.step;
  const score = known(data.score[step]) ? `, score ${scored(data.score[step])}` : "";
  return `Child ${count(step + 1)} of ${count(data.count)}: ${data.tasks[data.task[step]].name}, ${parentText(data, step)}${score}, ${data.verdict(step)}`;
}
