/* Score of every child over time, and the tree of ancestors: two canvases on the axis of the slider.
   The points are drawn once, faint and bright; a frame shows the bright ones up to the present step. */

import { pen, roomFor, sharpness } from "../base/canvas.js";
import { h } from "../base/dom.js";
import { known } from "../base/numbers.js";
import { taskColour, theme } from "../base/theme.js";
import { apartFrom, ticks } from "../base/ticks.js";
import { tip } from "../base/tip.js";
import { atEnd, choose, emit, focus, goto, hover, state } from "../model/state.js";
import { describe } from "../network/describe.js";

export class TimePanel {
  /** @type {Data} */
  data;
  left = 0;
  width = 0;
  ratio = 1;
  /** What is drawn once: all points, faint, and all of them, bright. */
  faint = document.createElement("canvas");
  bright = document.createElement("canvas");
  /** @type {(score: number) => number} the scale of the axis */
  bent = (score) => score;
  low = 0;
  high = 1;
  /** @type {number[]} */
  ticks = [];

  /**
   * @param {HTMLElement} host
   * @param {string} title
   * @param {string} hint
   * @param {number} height
   * @param {string} label
   * @param {(panel: TimePanel, ctx: CanvasRenderingContext2D, alpha: number) => void} paint
   */
  constructor(host, title, hint, height, label, paint) {
    this.canvas = h("canvas", { class: "time", tabindex: "0", role: "img", "aria-label": label });
    this.note = h("span", { class: "small" });
    host.append(h("h3", {}, title, " ", h("span", { class: "small" }, hint), this.note), this.canvas);
    this.tall = height;
    this.paint = paint;
    new ResizeObserver(() => this.resize()).observe(host);
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => {
      hover(null);
      tip.hide();
    });
    this.canvas.addEventListener("click", (event) => {
      const step = this.hit(event);
      if (step < 0) return;
      emit("pause");
      goto(step);
      choose({ kind: "model", step });
    });
    this.canvas.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (by) {
        event.preventDefault();
        emit("pause");
        goto(state.step + by * (event.shiftKey ? 10 : 1));
      }
      if (event.key === "Enter") choose({ kind: "model", step: state.step });
    });
  }

  /**
   * @param {Data} data
   * @param {number} left
   */
  set(data, left) {
    this.data = data;
    this.left = left;
    this.resize();
  }

  resize() {
    const width = roomFor(this.canvas);
    if (!width || !this.data) return;
    this.ratio = sharpness();
    this.width = width;
    this.canvas.style.height = `${this.tall}px`;
    for (const canvas of [this.canvas, this.faint, this.bright]) {
      canvas.width = Math.round(width * this.ratio);
      canvas.height = Math.round(this.tall * this.ratio);
    }
    this.scale();
    this.repaint();
  }

  /* Scores from the lowest of all but the worst two in a hundred to the highest; worse ones lie on the lower edge.
     Where most are close to 1, the axis is stretched there: what is left to learn counts, not what is known. */
  scale() {
    const scores = this.data.score.filter((v) => known(v)).sort();
    const low = scores[Math.floor(scores.length * 0.02)] ?? 0,
      high = scores[scores.length - 1] ?? 1;
    const stretched = (scores[scores.length >> 1] ?? 0) > 0.82 && high <= 1 && low >= 0;
    this.note.textContent = stretched ? "; the axis is stretched towards 1" : "";
    this.bent = stretched ? (v) => -Math.log10(1.012 - Math.min(1, v)) : (v) => v;
    const span = Math.max(0.02, this.bent(high) - this.bent(low));
    this.low = this.bent(low) - 0.05 * span;
    this.high = this.bent(high) + 0.06 * span;
    this.ticks = stretched
      ? apartFrom([1, 0.9, 0.5, 0.99, 0, 0.95, 0.8, 0.98, 0.7], (v) => this.y(v), 8, this.tall - 4, 15)
      : ticks(this.low, this.high, 3);
  }

  /** @param {number} step */
  x(step) {
    return this.left + (step / Math.max(1, this.data.count - 1)) * (this.width - this.left - 12);
  }
  /** @param {number} score */
  y(score) {
    const part = (Math.max(this.low, Math.min(this.high, this.bent(score))) - this.low) / (this.high - this.low);
    return this.tall - 8 - part * (this.tall - 16);
  }

  repaint() {
    if (!this.data) return;
    for (const canvas of [this.faint, this.bright]) {
      const bright = canvas === this.bright;
      const ctx = pen(canvas);
      ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      ctx.clearRect(0, 0, this.width, this.tall);
      if (!bright) this.axes(ctx);
      ctx.save();
      if (!bright) ctx.globalAlpha = 0.16;
      this.paint(this, ctx, ctx.globalAlpha);
      ctx.restore();
    }
    this.draw();
  }

  /** @param {CanvasRenderingContext2D} ctx */
  axes(ctx) {
    ctx.font = `11.5px ${theme.sans}`;
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    for (const value of this.ticks) {
      const y = Math.round(this.y(value)) + 0.5;
      ctx.strokeStyle = theme.colours.hair;
      ctx.beginPath();
      ctx.moveTo(this.left, y);
      ctx.lineTo(this.width - 12, y);
      ctx.stroke();
      ctx.fillStyle = theme.colours.muted;
      if (y > 7 && y < this.tall - 5) ctx.fillText(String(+value.toFixed(3)), this.left - 10, y);
    }
  }

  draw() {
    if (!this.data || !this.width) return;
    const ctx = pen(this.canvas),
      { ratio } = this;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, this.canvas.width, this.canvas.height);
    ctx.drawImage(this.faint, 0, 0);
    const x = Math.round(this.x(state.step) * ratio) + 2;
    const wide = atEnd() ? this.canvas.width : x;
    if (wide > 0) ctx.drawImage(this.bright, 0, 0, wide, this.canvas.height, 0, 0, wide, this.canvas.height);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (!this.data.count) return;
    this.cursor(ctx);
  }

  /**
   * The line of now, and the chain of the model in focus or else of the one sampled now.
   * @param {CanvasRenderingContext2D} ctx
   */
  cursor(ctx) {
    const { data } = this,
      at = focus();
    const step =
      at?.kind === "model"
        ? at.step
        : atEnd() && at?.kind === "task"
          ? data.retainedStep[at.task]
          : atEnd()
            ? -1
            : state.step;
    ctx.strokeStyle = theme.colours.ink;
    ctx.globalAlpha = 0.35;
    ctx.lineWidth = 1;
    const now = Math.round(this.x(state.step)) + 0.5;
    ctx.beginPath();
    ctx.moveTo(now, 2);
    ctx.lineTo(now, this.tall - 4);
    ctx.stroke();
    ctx.globalAlpha = 1;
    if (step < 0) return;
    const points = data.chain(step).filter((s) => known(data.score[s]));
    ctx.strokeStyle = theme.colours.sampled;
    ctx.lineWidth = 1.6;
    ctx.beginPath();
    points.forEach((s, n) =>
      n ? ctx.lineTo(this.x(s), this.y(data.score[s])) : ctx.moveTo(this.x(s), this.y(data.score[s])),
    );
    ctx.stroke();
    points.forEach((s, n) => {
      ctx.beginPath();
      ctx.arc(this.x(s), this.y(data.score[s]), n ? 3 : 4.5, 0, 2 * Math.PI);
      ctx.fillStyle = taskColour(data.task[s]);
      ctx.fill();
      ctx.stroke();
    });
  }

  /** @param {PointerEvent} event */
  hit(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left,
      y = event.clientY - box.top,
      { data } = this;
    let best = -1,
      nearest = 15 ** 2;
    const per = Math.max(1, data.count - 1) / (this.width - this.left - 12);
    const from = Math.max(0, Math.floor((x - this.left - 15) * per)),
      to = Math.min(data.count, Math.ceil((x - this.left + 15) * per) + 1);
    for (let step = from; step < to; step++) {
      if (!known(data.score[step])) continue;
      const far = (this.x(step) - x) ** 2 + (this.y(data.score[step]) - y) ** 2 * 0.6;
      if (far < nearest) {
        nearest = far;
        best = step;
      }
    }
    return best;
  }

  /** @param {PointerEvent} event */
  point(event) {
    if (!this.data?.count || state.playing) return;
    const step = this.hit(event);
    hover(step < 0 ? null : { kind: "model", step });
    if (step < 0) return tip.hide();
    const told = describe(this.data, state.growth, { kind: "model", step });
    return tip.show(event.clientX, event.clientY, told.title, told.lines);
  }
}
