/* Hyperparameters of the retained models, their schedules along lineages, and learned mutation probabilities. */

const readable = (name) => name.replaceAll("_", " ");

let scheduleShown = null; // as the reader chose

function settings(data, body) {
  const { distributions, schedules } = data.settings;
  if (!distributions.length) { body.append(h("p", { class: "none" }, "No retained model yet has hyperparameters.")); return; }
  const grid = h("div", { class: "grid", css: { "--least": "210px", "--phone": "148px" } }, distributions.map((one) => distribution(one)));
  body.append(grid, dataTable("Values of hyperparameters among the retained models", () => [["hyperparameter", "value", "models"],
    ...distributions.flatMap((d) => d.values.map((v, n) => [readable(d.name), v, d.counts[n]]))]));
  const moving = schedules.filter((one) => one.lines.some((line) => line.length > 1));
  if (!moving.length) return;
  const box = h("div");
  const show = (name) => { scheduleShown = name; clear(box).append(schedule(data, moving.find((one) => one.name === name))); };
  const has = (name) => moving.some((one) => one.name === name);
  const first = has(scheduleShown) ? scheduleShown : has("learning_rate") ? "learning_rate" : moving[0].name;
  body.append(h("h3", { css: { margin: "40px 0 10px" } }, "Schedules along the lineages"),
    h("div", { class: "controls" }, select("Hyperparameter", moving.map((one) => [one.name, readable(one.name)]), first, show),
      h("span", {}, "A line is the lineage of one retained model, in the colour of its task; choose a task to see it alone.")), box);
  show(first);
}

function distribution({ name, values, counts, default: start }) {
  const most = Math.max(...counts, 1), all = counts.reduce((a, b) => a + b, 0);
  return chart({
    title: readable(name), height: 116,
    label: `${readable(name)}: ${values.map((v, n) => (counts[n] ? `${v} in ${counts[n]}` : "")).filter(Boolean).join(", ")} of ${counted(all, "model")}`,
    draw: (svg, width, height) => {
      const per = width / values.length, wide = Math.min(34, per * 0.72), floor = height - 24;
      const room = Math.max(...values.map((v) => v.length)) * 6.6 + 6, every = Math.max(1, Math.ceil(room / per));
      svg.append(s("line", { class: "axis", x1: 0, x2: width, y1: floor, y2: floor }));
      values.forEach((value, n) => {
        const x = (n + 0.5) * per, tall = (counts[n] / most) * (floor - 20);
        const best = counts[n] === most;
        if (counts[n]) svg.append(mark(s("rect", { x: x - wide / 2, y: floor - tall, width: wide, height: tall, rx: 2, fill: best ? "var(--kept)" : "color-mix(in srgb, var(--kept) 48%, var(--ground))" }),
          `${readable(name)} ${value}`, [`${counted(counts[n], "model")} of ${all}`]));
        if (counts[n] && per > 15) svg.append(s("text", { x, y: floor - tall - 5, "text-anchor": "middle", class: best ? "strong" : "" }, String(counts[n])));
        if (n === start) svg.append(mark(s("circle", { cx: x, cy: floor, r: 4, fill: "var(--no)", stroke: "var(--ground)", "stroke-width": 1.5 }), "where evolution began", [value]));
        if (n % every === 0) svg.append(s("text", { x: Math.max(value.length * 3.3, Math.min(width - value.length * 3.3, x)), y: height - 6, "text-anchor": "middle" }, value));
      });
    },
  });
}

function schedule(data, { name, values, lines }) {
  return chart({
    chosen: true, label: `Schedules of the ${readable(name)} along each lineage`, height: 230,
    draw: (svg, width, height) => {
      const used = lines.flat().map(([, v]) => v), bottom = Math.max(0, Math.min(...used) - 1), top = Math.min(values.length - 1, Math.max(...used) + 1);
      const left = Math.min(110, Math.max(...values.map((v) => v.length)) * 7 + 18);
      const steps = lines.flat().map(([step]) => step);
      const high = Math.max(1, data.count - 1, ...steps);
      const scale = axes(svg, width, height, { left, right: 12, x: { low: 0, high, ticks: ticks(0, high, 6), text: (v) => (v ? count(v) : "child 0") },
        y: { low: bottom - 0.5, high: top + 0.5, ticks: values.map((_, n) => n).filter((n) => n >= bottom && n <= top), text: (n) => values[n] } });
      const chosen = state.chosen?.kind === "task" ? state.chosen.task : null;
      const some = lines.map((_, task) => task).filter((task) => lines[task].length);
      const reach = Math.min(0.62, some.length * 0.06);
      some.forEach((task, place) => {
        const shift = some.length > 1 ? (place / (some.length - 1) - 0.5) * reach : 0; // so that equal values lie side by side
        const points = lines[task].flatMap(([step, v], n) => (n ? [[scale.x(step), scale.y(lines[task][n - 1][1] + shift)], [scale.x(step), scale.y(v + shift)]] : [[scale.x(Math.max(0, step)), scale.y(v + shift)]]));
        const bright = chosen === null || chosen === task;
        const end = points[points.length - 1];
        svg.append(mark(s("g", { opacity: bright ? 0.92 : 0.12 }, s("path", { d: pathOf(points), fill: "none", stroke: "transparent", "stroke-width": 9 }),
          s("path", { d: pathOf(points), fill: "none", stroke: taskColour(task), "stroke-width": chosen === task ? 3 : some.length > 30 ? 1.1 : 1.9 }),
          s("circle", { cx: end[0], cy: end[1], r: some.length > 30 ? 2 : 3.5, fill: taskColour(task) })),
        data.tasks[task].name, [`${readable(name)}: ${values[lines[task][0][1]]} → ${values[lines[task][lines[task].length - 1][1]]}`]));
      });
    },
    rows: () => [["task", "child", readable(name)], ...lines.flatMap((line, task) => line.map(([step, v]) => [data.tasks[task].name, step < 0 ? "start" : step + 1, values[v]]))],
  });
}

function mutations(data, body) {
  const found = data.probabilities;
  if (!found || (!found.by_depth.length && !found.histograms.length)) {
    body.append(h("p", { class: "none" }, "The models of this system carry no learned mutation probabilities: its method keeps them fixed."));
    return;
  }
  const depth = found.by_depth.filter((one) => one.points.length > 1);
  const range = found.histograms.reduce((most, one) => Math.max(most, ...one.values), 0.02);
  if (depth.length) body.append(h("div", { class: "grid", css: { "--least": "min(100%, 420px)", "margin-bottom": "36px" } }, depth.map((one) => byDepth(one)), depth.length === 1 && depth[0].fit ? inShort(depth[0]) : null));
  const grid = h("div", { class: "grid", css: { "--least": "210px", "--phone": "148px" } });
  body.append(some("mutations", found.histograms, 20, (one) => histogram(one, range), grid), dataTable("Learned mutation probabilities", () => [["mutation", "probability", "models"],
    ...found.histograms.flatMap((one) => one.values.map((v, n) => [decision(one.mutation), v, one.counts[n]]).filter(([, , n]) => n))]));
}

function byDepth({ kind, points, fit }) {
  const blocks = points.map((p) => p.block), low = Math.min(...blocks), high = Math.max(...blocks);
  const top = Math.max(...points.map((p) => p.high)) * 1.08 || 0.3;
  return chart({
    title: `${kind}, by depth`, note: fit ? `${(100 * fit.slope).toFixed(2).replace("-", "−")} points a block` : "", height: 220,
    label: `Mean learned probability of ${kind} at blocks ${low} to ${high}${fit ? `; the line falls by ${(-100 * fit.slope).toFixed(2)} points a block` : ""}`,
    draw: (svg, width, height) => {
      const scale = axes(svg, width, height, { left: 44, right: 14, x: { low: low - 0.4, high: high + 0.4, ticks: blocks, text: (b) => (b === low ? `block ${b}` : String(b)) },
        y: { low: 0, high: top, ticks: ticks(0, top, 4), text: (v) => `${+(100 * v).toFixed(1)}\u00a0%` } });
      if (fit) svg.append(s("line", { x1: scale.x(low), x2: scale.x(high), y1: scale.y(fit.intercept + fit.slope * low), y2: scale.y(fit.intercept + fit.slope * high), stroke: "var(--no)", "stroke-width": 2 }));
      for (const p of points) {
        svg.append(s("line", { x1: scale.x(p.block), x2: scale.x(p.block), y1: scale.y(p.low), y2: scale.y(p.high), stroke: "var(--kept)", "stroke-width": 2, opacity: 0.35 }));
        svg.append(mark(s("circle", { cx: scale.x(p.block), cy: scale.y(p.mean), r: points.length > 16 ? 4 : 5, fill: "var(--kept)" }), `${kind}, block ${p.block}`, [`mean ${percent(p.mean, 1)}\u00a0%, from ${percent(p.low, 0)} to ${percent(p.high, 0)}\u00a0%`, counted(p.count, "model")]));
      }
    },
  });
}

function inShort({ kind, points, fit }) {
  const first = points[0], last = points[points.length - 1], change = 100 * fit.slope, [verb, noun] = kind.split(" ");
  return h("p", { css: { "align-self": "center", "max-width": "44ch", margin: "0" } },
    `On average the models ${verb} ${noun} ${first.block} with a probability of ${percent(first.mean, 1)}\u00a0%, and ${noun} ${last.block} with ${percent(last.mean, 1)}\u00a0%. `,
    Math.abs(change) < 0.005 ? "Depth makes no difference." : `Along the line it ${change < 0 ? "falls" : "rises"} by ${Math.abs(change).toFixed(2)} points with each block towards the head.`);
}

/* "hyperparameter:crop_area_min" -> "crop area min", "clone:block" -> "clone block". */
const decision = (name) => readable(name.replace("hyperparameter:", "").replaceAll(":", " "));

/* All with the same axis, from 0 to the highest value of any. */
function histogram({ mutation, values, counts }, range) {
  const most = Math.max(...counts, 1), all = counts.reduce((a, b) => a + b, 0);
  const mean = values.reduce((sum, v, n) => sum + v * counts[n], 0) / (all || 1);
  return chart({
    title: decision(mutation), note: `mean ${percent(mean, 0)}\u00a0%`, height: 88, label: `${decision(mutation)}: mean learned probability ${percent(mean, 1)}\u00a0% over ${counted(all, "model")}`,
    draw: (svg, width, height) => {
      const floor = height - 20, steps = Math.max(1, Math.round(range / 0.02)), per = width / (steps + 1);
      const x = (v) => per / 2 + (v / range) * (width - per);
      values.forEach((value, n) => {
        if (!counts[n]) return;
        const tall = (counts[n] / most) * (floor - 6);
        svg.append(mark(s("rect", { x: x(value) - per * 0.43, y: floor - tall, width: Math.max(2, per * 0.86), height: tall, fill: "var(--kept)", rx: 1 }), decision(mutation), [`probability ${percent(value, 0)}\u00a0%: ${counted(counts[n], "model")}`]));
      });
      svg.append(s("line", { class: "axis", x1: 0, x2: width, y1: floor, y2: floor }), s("text", { x: 0, y: height - 4 }, "0 %"),
        s("text", { x: width, y: height - 4, "text-anchor": "end" }, `${percent(range, 0)}\u00a0%`));
    },
  });
}
