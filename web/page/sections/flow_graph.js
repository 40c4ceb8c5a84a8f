/* Who learned from whom, as a graph: the tasks stand on a circle in the order of the network. */

import { widthOf } from "../base/canvas.js";
import { clear, h, s } from "../base/dom.js";
import { count, counted, percent } from "../base/numbers.js";
import { shortened } from "../base/text.js";
import { taskColour } from "../base/theme.js";
import { mark } from "../base/tip.js";
import { chart } from "../charts/chart.js";
import { choose, state } from "../model/state.js";

/**
 * @typedef {object} Edge
 * @property {number} learner
 * @property {number} ancestor
 * @property {number} number of ancestors
 * @property {number} share how much of what the learner learned, from 1/3 to 1
 */

/** @typedef {ReturnType<typeof circlePlaces>} Places */

/**
 * Tasks on a circle in the order of the network. With many tasks only the strongest teacher of each is drawn, until one
 * task is chosen or pointed at.
 * @param {Data} data
 * @param {number[]} totals
 * @param {boolean} many
 */
export function flowGraph(data, totals, many) {
  const edges = edgesOf(data, totals),
    strongest = strongestOf(edges);
  const left = many ? edges.length - strongest.size : 0;
  const graph = graphOf(data, totals, many, edges, strongest);
  if (!left) return graph;
  return h(
    "div",
    {},
    h(
      "p",
      { class: "small", css: { margin: "0 0 10px" } },
      `Only the arrow from each learner’s strongest teacher is drawn: ${count(strongest.size)} of ` +
        `${counted(edges.length, "arrow")}. Point at a task, or choose one, to see all of its own.`,
    ),
    graph,
  );
}

/**
 * @param {Data} data
 * @param {number[]} totals
 */
function edgesOf(data, totals) {
  /** @type {Edge[]} */
  const edges = [];
  data.flow.forEach((line, learner) =>
    line.forEach((number, ancestor) => {
      if (number && ancestor !== learner)
        edges.push({ learner, ancestor, number, share: (number + 0.5 * totals[learner]) / (1.5 * totals[learner]) });
    }),
  );
  return edges;
}

/**
 * One of each learner: from the task that most of its ancestors are of.
 * @param {Edge[]} edges
 */
function strongestOf(edges) {
  /** @type {Map<number, Edge>} */
  const found = new Map();
  for (const edge of edges) if (edge.number > (found.get(edge.learner)?.number ?? 0)) found.set(edge.learner, edge);
  return new Set(found.values());
}

/**
 * @param {Data} data
 * @param {number[]} totals
 * @param {boolean} many
 * @param {Edge[]} edges
 * @param {Set<Edge>} strongest
 */
function graphOf(data, totals, many, edges, strongest) {
  /** @type {number | null} */
  let over = null;
  return chart({
    chosen: true,
    label: "Knowledge flow: arrows from the ancestor’s task to the learner",
    height: (width) => (many ? Math.min(width, 640) : Math.round(2 * circleRadius(width) + 78)),
    draw: (svg, width, height) => {
      const spot = circlePlaces(data, width, height, many);
      const layer = s("g");
      const paint = () => {
        const at = over ?? (state.chosen?.kind === "task" ? state.chosen.task : null);
        const shown = edges.filter((e) =>
          at !== null ? e.learner === at || e.ancestor === at : !many || strongest.has(e),
        );
        clear(layer).append(...shown.map((edge) => arrow(data, spot, edge, many)));
      };
      svg.append(layer);
      data.order.forEach((task) =>
        svg.append(
          flowNode(data, spot, task, totals, edges, many, (t) => {
            over = t;
            paint();
          }),
        ),
      );
      paint();
    },
  });
}

/** @param {number} width */
const circleRadius = (width) => Math.max(60, Math.min(210, width / 2 - Math.min(124, width * 0.25)));

/**
 * @param {Data} data
 * @param {number} width
 * @param {number} height
 * @param {boolean} many
 */
function circlePlaces(data, width, height, many) {
  const n = data.order.length,
    narrow = width < 480;
  const margin = narrow ? 20 : 92;
  const radius = many ? Math.max(40, Math.min(width, height) / 2 - margin) : circleRadius(width);
  const angle = (/** @type {number} */ task) => (2 * Math.PI * data.column[task]) / n - Math.PI / 2;
  return {
    cx: width / 2,
    cy: height / 2,
    radius,
    angle,
    narrow,
    width,
    at: (/** @type {number} */ task, r = radius) => [
      width / 2 + r * Math.cos(angle(task)),
      height / 2 + r * Math.sin(angle(task)),
    ],
  };
}

/**
 * @param {Data} data
 * @param {Places} spot
 * @param {Edge} edge
 * @param {boolean} many
 */
function arrow(data, spot, { learner, ancestor, number, share }, many) {
  const [x0, y0] = spot.at(ancestor, spot.radius - 8),
    [x1, y1] = spot.at(learner, spot.radius - 8);
  // Towards the middle, and a little to the left of its way, so that there and back are two lines.
  const bend = 0.4,
    aside = 0.09;
  const mx = ((x0 + x1) / 2) * (1 - bend) + spot.cx * bend + (y1 - y0) * aside,
    my = ((y0 + y1) / 2) * (1 - bend) + spot.cy * bend - (x1 - x0) * aside;
  const wide = (many ? 0.6 : 1) * (0.6 + (4.6 * (share - 1 / 3)) / (2 / 3));
  const head = 7 + wide * 1.3,
    length = Math.hypot(x1 - mx, y1 - my) || 1;
  const ux = (x1 - mx) / length,
    uy = (y1 - my) / length;
  const [bx, by] = [x1 - ux * head, y1 - uy * head];
  const colour = taskColour(ancestor);
  const group = s(
    "g",
    { opacity: 0.85 },
    s("path", {
      d: `M${x0} ${y0}Q${mx} ${my} ${bx} ${by}`,
      fill: "none",
      stroke: colour,
      "stroke-width": wide.toFixed(2),
    }),
    s("path", {
      d: `M${x1} ${y1}L${bx - uy * head * 0.5} ${by + ux * head * 0.5}L${bx + uy * head * 0.5} ${by - ux * head * 0.5}Z`,
      fill: colour,
    }),
  );
  return mark(group, `${data.tasks[ancestor].name} → ${data.tasks[learner].name}`, [
    `${counted(number, "ancestor")} of the learner’s model`,
  ]);
}

/**
 * @param {Data} data
 * @param {Places} spot
 * @param {number} task
 * @param {number[]} totals ancestors of each task's model
 * @param {Edge[]} edges
 * @param {boolean} many
 * @param {(task: number | null) => void} point
 */
function flowNode(data, spot, task, totals, edges, many, point) {
  const [x, y] = spot.at(task),
    angle = spot.angle(task),
    right = Math.cos(angle) >= -0.001;
  const [lx, ly] = spot.at(task, spot.radius + (many ? 9 : 16));
  const name = data.tasks[task].name;
  const group = s(
    "g",
    { css: { cursor: "pointer" } },
    s("circle", { cx: x, cy: y, r: many ? 4 : 8, fill: taskColour(task) }),
  );
  const upright = Math.abs(Math.cos(angle)) < 0.3;
  const room = many ? 76 : upright ? spot.width * 0.4 : (right ? spot.width - lx : lx) - 2;
  const text = shortened(name, room, (t) => widthOf(t, many ? 9 : 12));
  const every = Math.max(1, Math.ceil(9.5 / ((2 * Math.PI * spot.radius) / data.order.length)));
  if (many && !spot.narrow && data.column[task] % every === 0) {
    const degrees = (angle * 180) / Math.PI + (right ? 0 : 180);
    group.append(
      s(
        "text",
        {
          x: lx,
          y: ly,
          "text-anchor": right ? "start" : "end",
          "dominant-baseline": "middle",
          "font-size": 9,
          transform: `rotate(${degrees.toFixed(1)} ${lx} ${ly})`,
        },
        text,
      ),
    );
  } else if (!many) {
    group.append(
      s(
        "text",
        {
          x: lx,
          y: upright ? ly + (Math.sin(angle) > 0 ? 12 : -4) : ly + 4,
          "text-anchor": upright ? "middle" : right ? "start" : "end",
        },
        text,
      ),
    );
  }
  const own = data.flow[task][task];
  mark(group, name, [
    `descends from ${counted(edges.filter((e) => e.learner === task).length, "other task")}`,
    `${counted(edges.filter((e) => e.ancestor === task).length, "other task")} below it`,
    totals[task] ? `${percent(own / totals[task], 0)}\u00a0% of its ancestors are its own` : "",
  ]);
  group.addEventListener("pointerenter", () => point(task));
  group.addEventListener("pointerleave", () => point(null));
  group.addEventListener("click", () => choose({ kind: "task", task }));
  return group;
}
