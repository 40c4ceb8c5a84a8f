/* Learning curves with the gap to the test split, and the whole system over task iterations. */

function learning(data, body) {
  if (!data.learning.length) {
    body.append(h("p", { class: "none" }, "No accuracies of training cycles are recorded."));
    return;
  }
  const grid = h("div", { class: "grid", css: { "--least": "235px", "--phone": "148px" } });
  body.append(
    some("learning curves", data.learning, 24, (one) => curve(data, one), grid),
    dataTable("Learning curves", () => [
      ["task", "cycle", "validation accuracy", "test accuracy"],
      ...data.learning.flatMap((one) =>
        one.accuracies.map((value, n) => [
          data.tasks[one.task].name,
          n + 1,
          percent(value),
          n === one.selected ? percent(one.test_accuracy) : "",
        ]),
      ),
    ]),
  );
}

function curve(data, { task, accuracies, starts, selected, test_accuracy: test }) {
  const values = accuracies.filter(known),
    last = accuracies.length;
  const place = selected ?? last - 1,
    kept = accuracies[place],
    gap = difference(kept, test);
  const all = known(test) ? [...values, test] : values;
  const low = Math.min(...all),
    high = Math.max(...all),
    spare = Math.max(0.005, (high - low) * 0.08);
  return chart({
    title: named(taskColour(task), data.tasks[task].name),
    note: known(gap) ? `gap ${(100 * gap).toFixed(1).replace("-", "−")}` : "",
    label: `Learning curve of ${data.tasks[task].name}: ${counted(last, "validation")}, kept at ${percent(kept, 1)}\u00a0%${known(test) ? `, test ${percent(test, 1)}\u00a0%` : ""}`,
    height: 128,
    draw: (svg, width, height) => {
      const range = { low: low - spare, high: Math.min(1.002, high + spare) };
      const scale = axes(svg, width, height, {
        left: 36,
        right: 12,
        bottom: 22,
        x: {
          low: 1,
          high: Math.max(2, last),
          ticks: [1, last].filter((v, n, a) => a.indexOf(v) === n),
          text: (v) => (v === last ? counted(v, "cycle") : String(v)),
        },
        y: { ...range, ticks: ticks(range.low, range.high, 3), text: (v) => String(+(100 * v).toFixed(1)) },
      });
      for (const start of starts.slice(1))
        svg.append(
          s("line", { class: "gridline", x1: scale.x(start + 0.5), x2: scale.x(start + 0.5), y1: 8, y2: height - 22 }),
        );
      const colour = taskColour(task),
        end = scale.x(place + 1);
      svg.append(
        s("path", {
          d: pathOf(accuracies.map((v, n) => [scale.x(n + 1), scale.y(known(v) ? v : low)])),
          fill: "none",
          stroke: colour,
          "stroke-width": 1.8,
        }),
      );
      const y = scale.y(kept);
      if (known(test))
        svg.append(
          s("line", {
            x1: end,
            x2: end,
            y1: y,
            y2: scale.y(test),
            stroke: colour,
            "stroke-width": 1.6,
            "stroke-dasharray": "2 3",
          }),
          mark(
            s("circle", {
              cx: end,
              cy: scale.y(test),
              r: 4,
              fill: theme.colours.ground,
              stroke: colour,
              "stroke-width": 2,
            }),
            "test",
            [`${percent(test)}\u00a0%`],
          ),
        );
      svg.append(
        mark(
          s("path", { d: `M${end - 5} ${y}h10M${end} ${y - 5}v10`, stroke: theme.colours.ink, "stroke-width": 2 }),
          "kept",
          [`validation ${percent(kept)}\u00a0%`],
        ),
      );
    },
  });
}

function progress(data, body) {
  const rows = data.progress;
  if (!rows.length) {
    body.append(
      h("p", { class: "none" }, "No task iteration has ended yet, or the system is older than their records."),
    );
    return;
  }
  const plain = (v) => String(+(100 * v).toFixed(1));
  const grid = h(
    "div",
    { class: "grid", css: { "--least": "min(100%, 420px)" } },
    overTime(data, "Mean test accuracy, %", "mean_test_accuracy", plain, (v) => `${percent(v)}\u00a0%`),
    overTime(data, "Parameters per task", "parameters_per_task", (v) => compact(v), count),
    overTime(
      data,
      "FLOPs for a prediction",
      "flops_per_task",
      (v) => compact(v),
      (v) => compact(v),
    ),
    overTime(data, "Computing so far", "seconds", duration, duration, timeTicks),
  );
  body.append(
    grid,
    dataTable("The system after each task iteration", () => [
      ["#", "task", "iteration", "mean validation %", "mean test %", "parameters per task", "FLOPs per task", "time"],
      ...rows.map((r, n) => [
        n + 1,
        data.tasks[r.task]?.name ?? NOTHING,
        r.iteration + 1,
        percent(r.mean_validation_accuracy),
        percent(r.mean_test_accuracy),
        count(r.parameters_per_task),
        count(r.flops_per_task),
        duration(r.seconds),
      ]),
    ]),
  );
}

function overTime(data, title, column, text, full, divide = ticks) {
  const points = data.progress.map((r, n) => [n + 1, r[column], r]).filter(([, v]) => known(v));
  if (!points.length)
    return h("figure", {}, h("figcaption", {}, h("h3", {}, title)), h("p", { class: "none" }, "Not recorded."));
  const values = points.map(([, v]) => v),
    low = Math.min(...values),
    high = Math.max(...values);
  const spare = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
  const number = data.progress.length;
  return chart({
    title,
    note: `now ${full(values[values.length - 1])}`,
    height: 190,
    label: `${title} over ${counted(number, "task iteration")}: from ${full(values[0])} to ${full(values[values.length - 1])}`,
    draw: (svg, width, height) => {
      const range = { low: low >= 0 ? Math.max(0, low - spare) : low - spare, high: high + spare };
      const scale = axes(svg, width, height, {
        left: 58,
        right: 12,
        x: {
          low: 1,
          high: Math.max(2, number),
          ticks: ticks(1, number, 6).filter(Number.isInteger).concat(1),
          text: String,
        },
        y: { ...range, ticks: divide(range.low, range.high, 4), text },
      });
      svg.append(
        s("path", {
          d: pathOf(points.map(([x, y]) => [scale.x(x), scale.y(y)])),
          fill: "none",
          stroke: theme.colours.faint,
          "stroke-width": 1.4,
        }),
      );
      const radius = number > 150 ? 2 : number > 60 ? 3 : 4;
      for (const [x, y, r] of points) {
        svg.append(
          mark(
            s("circle", { cx: scale.x(x), cy: scale.y(y), r: radius, fill: taskColour(r.task) }),
            `Task iteration ${x}: ${data.tasks[r.task]?.name ?? ""}`,
            [full(y), r.tasks ? counted(r.tasks, "task") : ""],
          ),
        );
      }
    },
  });
}
