/* Charts that are drawn anew when their width or the theme changes, and their axes. */

const charts = new Set();

/* `draw(svg, width, height)` fills an SVG; `rows()` gives its numbers as a table; `chosen`: it shows what is chosen. */
function chart({ title, note, height, label, draw, rows, chosen = false }) {
  const paper = h("div", { class: "paper" });
  const box = h(
    "figure",
    {},
    title ? h("figcaption", {}, h("h3", {}, title), note ? h("span", { class: "small" }, note) : null) : null,
    paper,
    rows ? dataTable(label, rows) : null,
  );
  const paint = () => {
    const width = Math.floor(paper.clientWidth);
    if (!width) return;
    const tall = typeof height === "function" ? height(width) : height;
    const svg = s("svg", { viewBox: `0 0 ${width} ${tall}`, height: tall, role: "img", "aria-label": label });
    draw(svg, width, tall);
    clear(paper).append(svg);
  };
  let seen = 0;
  new ResizeObserver(() => {
    if (Math.abs(paper.clientWidth - seen) > 1) {
      seen = paper.clientWidth;
      paint();
    }
  }).observe(paper);
  charts.add({ box, paint, chosen });
  return box;
}

/* All of them, or those alone that show what is chosen. */
function repaintCharts(choiceOnly = false) {
  for (const one of charts) {
    if (!one.box.isConnected) charts.delete(one);
    else if (!choiceOnly || one.chosen) one.paint();
  }
}

/* Axes with ticks; gives the scales. `x` and `y`: {low, high, ticks, text}. */
function axes(svg, width, height, { left = 40, right = 10, top = 8, bottom = 24, x, y }) {
  const toX = (v) => left + ((v - x.low) / (x.high - x.low || 1)) * (width - left - right);
  const toY = (v) => height - bottom - ((v - y.low) / (y.high - y.low || 1)) * (height - top - bottom);
  for (const v of y.ticks) {
    svg.append(
      s("line", { class: "gridline", x1: left, x2: width - right, y1: toY(v), y2: toY(v) }),
      s("text", { x: left - 8, y: toY(v) + 4, "text-anchor": "end" }, y.text(v)),
    );
  }
  let last = -Infinity;
  for (const v of x.ticks) {
    const text = x.text(v),
      half = widthOf(text) / 2;
    const at = Math.min(width - half, Math.max(half, toX(v)));
    if (at - half < last + 6) continue;
    last = at + half;
    svg.append(s("text", { x: at, y: height - 6, "text-anchor": "middle" }, text));
  }
  svg.append(s("line", { class: "axis", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom }));
  return { x: toX, y: toY };
}

const pathOf = (points) => points.map(([x, y], n) => `${n ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/* The first few of many, and a button for all. `make(item)` gives a node. Who asked for all of `name` gets all of it
   when the data is another one, too. */
const unfolded = new Set();
function some(name, items, most, make, box) {
  const first = unfolded.has(name) ? items.length : most;
  items.slice(0, first).forEach((item) => box.append(make(item)));
  if (items.length <= first) return box;
  const more = h(
    "p",
    { class: "more" },
    h(
      "button",
      {
        type: "button",
        onclick: () => {
          unfolded.add(name);
          more.remove();
          items.slice(first).forEach((item) => box.append(make(item)));
        },
      },
      `Show all ${count(items.length)} ${name}`,
    ),
  );
  return h("div", {}, box, more);
}

/* Horizontal bars of several parts, as text and blocks that every width can hold. */
function bars({ rows, parts, text, label }) {
  const most = Math.max(...rows.map((row) => row.values.reduce((a, b) => a + b, 0)), 1e-12);
  const list = h("ul", { class: "bars", "aria-label": `${label} by task` });
  const make = (row) => {
    const sum = row.values.reduce((a, b) => a + b, 0);
    const bar = h("span", { class: "track", css: { width: `${(100 * sum) / most}%` } });
    row.values.forEach((value, n) => {
      if (value <= 0) return;
      const piece = h("i", { colour: parts[n].colour ?? taskColour(row.task), css: { flex: `${value} 0 0` } });
      bar.append(
        mark(piece, row.name, [`${parts[n].name}: ${text(value)}`, parts.length > 1 ? `of ${text(sum)}` : ""]),
      );
    });
    return h(
      "li",
      {},
      named(taskColour(row.task), row.name),
      h("span", { class: "room" }, bar),
      h("span", { class: "value" }, row.note ?? text(sum)),
    );
  };
  return some(`tasks by ${label.toLowerCase()}`, rows, 24, make, list);
}
