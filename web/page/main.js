/* The page: sections are filled when they come near the window, the others whenever there is time; all of them again
   when the data changes. */

import { $, h, refill } from "./base/dom.js";
import { startTheme } from "./base/theme.js";
import { tip } from "./base/tip.js";
import { repaintCharts } from "./charts/chart.js";
import { contents } from "./contents.js";
import { Growing } from "./growing.js";
import { Data } from "./model/data.js";
import { Growth } from "./model/growth.js";
import { again, atEnd, choose, goto, on, state } from "./model/state.js";
import { readyForPaper } from "./paper.js";
import { SECTIONS } from "./sections.js";
import { summary } from "./sections/summary.js";
import { renew, route } from "./task/view.js";

/** @type {Map<string, Pick<Section, "fill" | "themed">>} */
const FILLED = new Map();
FILLED.set("summary", { fill: summary, themed: true });
for (const section of SECTIONS) FILLED.set(section.id, section);
/** @type {Set<string>} with the data as it is */
const filled = new Set();
/** @type {Set<string>} to the window */
const near = new Set();

/** @param {Section} section */
const placed = ({ id, name, title, how }) =>
  h(
    "section",
    { id, "data-name": name, "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, title),
    h("p", { class: "how" }, how),
    h("div", { "data-body": true }),
  );

/** @param {string} id */
function fillSection(id) {
  const body = $(`#${id} [data-body]`);
  body.style.minHeight = `${body.offsetHeight}px`; // what is filled anew must not make the page jump
  refill(body, () => FILLED.get(id)?.fill(state.data, body));
  filled.add(id);
  requestAnimationFrame(() => {
    body.style.minHeight = "";
  });
}

/** @param {string} id */
function fillOnce(id) {
  if (FILLED.has(id) && !filled.has(id)) fillSection(id);
}

const fillMissing = () => FILLED.forEach((_, id) => fillOnce(id));

/* Fills what is left, one section at a time, so that nothing else has to wait. */
function fillLater() {
  /** @param {() => void} then */
  const soon = (then) => setTimeout(then, 100);
  (window.requestIdleCallback ?? soon)(() => {
    const left = [...FILLED.keys()].find((id) => !filled.has(id));
    if (!left) return;
    fillSection(left);
    fillLater();
  });
}

/**
 * Takes a payload in place of the one before. Step, choice and place on the page stay.
 * @param {Growing} growing
 * @param {Payload} payload
 */
function update(growing, payload) {
  if (payload?.schema !== 1) throw new Error(`munet: a payload of schema 1 is needed, not ${payload?.schema}`);
  const before = state.data,
    ended = !before || atEnd();
  const data = new Data(payload),
    last = Math.max(0, data.count - 1);
  state.chosen = before && state.chosen ? again(before, data, state.chosen) : null;
  state.hover = null;
  state.data = data;
  state.growth = new Growth(data);
  state.step = ended ? last : Math.min(state.step, last);
  state.growth.goto(state.step);
  state.moved = true;
  document.title = data.title;
  // Of a system without models there is one thing to say, and the summary says it.
  document.body.classList.toggle("empty", !data.totals.evolved_tasks && !data.count);
  growing.set(data);
  filled.clear();
  near.forEach(fillSection);
  fillLater();
  renew(data);
}

/**
 * @param {string} id
 * @param {boolean} isNear
 */
function comes(id, isNear) {
  if (!isNear) near.delete(id);
  else if (FILLED.has(id)) {
    near.add(id);
    fillOnce(id);
  }
}

function start() {
  startTheme($("#theme"));
  $("main").append(...SECTIONS.map(placed));
  const growing = new Growing($("#network [data-body]"));
  window.munet = { update: (payload) => update(growing, payload), state, goto, choose };
  window.munet.update(JSON.parse($("#payload").textContent));
  fillSection("summary");
  contents(comes);
  route(state.data);
  addEventListener("hashchange", () => route(state.data));
  readyForPaper(fillMissing, () => growing.redraw());
  // Jumping to a section needs all of those above it.
  $("#contents").addEventListener("click", fillMissing);
  on("theme", () => {
    repaintCharts();
    FILLED.forEach((section, id) => section.themed && filled.has(id) && fillSection(id));
    renew(state.data);
  });
  on("choice", () => repaintCharts(true));
  addEventListener("scroll", tip.hide, { passive: true });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      tip.hide();
      if (state.chosen) choose(null);
    }
  });
}

start();
