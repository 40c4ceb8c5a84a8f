/* Verdicts on children, and where time, compute and parameters went. */

const REASON_COLOURS = ["var(--no)", "var(--odd)", "var(--faint)", "var(--alarm)"];

function rejected(data, body) {
  if (!data.count) {
    body.append(h("p", { class: "none" }, "No sampled child is recorded."));
    return;
  }
  const { reasons, by_task: table } = data.rejected;
  const parts = [
    { name: "kept, best", colour: "var(--best)" },
    { name: "kept", colour: "var(--kept)" },
    ...reasons.map((name, n) => ({
      name: `rejected: ${name}`,
      colour: REASON_COLOURS[Math.min(n, REASON_COLOURS.length - 1)],
    })),
  ];
  const sums = parts.map((_, n) => table.reduce((sum, line) => sum + line[n], 0));
  const rows = data.order
    .filter((task) => table[task].some((n) => n))
    .map((task) => ({
      task,
      name: data.tasks[task].name,
      values: table[task],
      note: `${percent((table[task][0] + table[task][1]) / table[task].reduce((a, b) => a + b, 0), 0)}\u00a0% kept`,
    }));
  body.append(
    h(
      "div",
      { class: "controls" },
      h(
        "ul",
        { class: "key" },
        parts.map((part, n) => h("li", {}, swatch(part.colour), `${part.name} `, h("strong", {}, count(sums[n])))),
      ),
    ),
    bars({ rows, parts, text: count, label: "Verdict" }),
    dataTable("Children by verdict", () => [
      ["task", ...parts.map((p) => p.name)],
      ...rows.map((r) => [r.name, ...r.values]),
    ]),
  );
}

let costShown = null; // as the reader chose

function costs(data, body) {
  const found = data.costs;
  const kinds = {
    time: {
      label: "Time",
      parts: [
        ["training", "var(--kept)"],
        ["validation", "var(--no)"],
        ["other", "var(--faint)"],
      ],
      table: found.seconds.map((v, task) => [task, v]),
      text: duration,
    },
    flops: {
      label: "FLOPs",
      parts: [
        ["training", "var(--kept)"],
        ["validation", "var(--no)"],
      ],
      table: found.flops.map((v, task) => [task, v]),
      text: (v) => compact(v),
    },
    parameters: {
      label: "Parameters",
      parts: [["trained by it, in use", undefined]],
      table: found.parameters.map(([task, v]) => [task, [v]]),
      text: (v) => compact(v),
    },
  };
  const box = h("div");
  const show = (name) => {
    costShown = name;
    const kind = kinds[name],
      parts = kind.parts.map(([text, colour]) => ({ name: text, colour }));
    const sum = (values) => values.reduce((a, b) => a + (b || 0), 0);
    const rows = kind.table
      .filter(([, values]) => sum(values) > 0)
      .sort((a, b) => sum(b[1]) - sum(a[1]))
      .map(([task, values]) => ({
        task,
        name: task === ROOT ? "the root" : data.tasks[task].name,
        values: values.map((v) => v || 0),
      }));
    clear(box);
    if (!rows.length) {
      box.append(h("p", { class: "none" }, "Not recorded."));
      return;
    }
    const sums = parts.map((_, n) => rows.reduce((total, r) => total + r.values[n], 0));
    box.append(
      parts.length > 1
        ? h(
            "div",
            { class: "controls" },
            h(
              "ul",
              { class: "key" },
              parts.map((part, n) =>
                h("li", {}, swatch(part.colour), `${part.name} `, h("strong", {}, kind.text(sums[n]))),
              ),
            ),
          )
        : "",
      bars({ rows, parts, text: kind.text, label: kind.label }),
      dataTable(`${kind.label} by task`, () => [
        ["task", ...parts.map((p) => p.name)],
        ...rows.map((r) => [r.name, ...r.values.map((v) => (name === "time" ? v.toFixed(1) : count(v)))]),
      ]),
    );
  };
  const first = costShown ?? (found.seconds.flat().some((v) => v > 0) ? "time" : "parameters");
  body.append(
    h(
      "div",
      { class: "controls" },
      choice(
        "What to show",
        Object.entries(kinds).map(([value, kind]) => [value, kind.label]),
        first,
        show,
      ),
    ),
    box,
  );
  show(first);
}
