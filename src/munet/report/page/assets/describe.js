/* What is said about a task, a layer or a model: short for the tooltip, in full for the card beside the network. */

function describe(data, growth, at) {
  if (at.kind === "task") {
    const task = data.tasks[at.task];
    const grown = growth.paths[at.task] >= 0;
    return {
      title: task.name,
      lines: [
        grown ? `validation ${percent(growth.accuracy(at.task))}\u00a0%` : "no model yet at this step",
        grown && known(task.test_accuracy) && atEnd() ? `test ${percent(task.test_accuracy)}\u00a0%` : "",
        known(task.accounted_parameters) ? `${compact(task.accounted_parameters)} accounted parameters` : "",
      ],
    };
  }
  if (at.kind === "layer") {
    const users = growth.users(at.layer);
    const names = users
      .slice(0, 4)
      .map((task) => data.tasks[task].name)
      .join(", ");
    return {
      title: data.slots[data.layers.slot[at.layer]],
      lines: [
        `trained by ${data.taskName(data.by(at.layer))}`,
        `${count(data.layers.parameters[at.layer])} parameters`,
        users.length
          ? `used by ${users.length > 4 ? `${names} and ${users.length - 4} more` : names}`
          : "used by no task now",
      ],
    };
  }
  return {
    title: `Child ${count(at.step + 1)} of ${data.tasks[data.task[at.step]].name}`,
    lines: [
      data.verdict(at.step),
      known(data.score[at.step]) ? `score ${percent(data.score[at.step])}\u00a0%` : "no score",
      parentText(data, at.step),
    ],
  };
}

function parentText(data, step) {
  const parent = data.parent[step];
  if (parent === ROOT) return "from the root";
  if (parent < 0) return "from a parent that is not recorded";
  return data.task[parent] === data.task[step]
    ? `from its own child ${count(parent + 1)}`
    : `from child ${count(parent + 1)} of ${data.tasks[data.task[parent]].name}`;
}

const row = (term, value) => [h("dt", {}, term), h("dd", {}, value)];
const taskLink = (data, task) =>
  task < 0
    ? h("span", {}, data.taskName(task))
    : h(
        "button",
        { type: "button", class: "link", onclick: () => choose({ kind: "task", task }) },
        bdi(data.tasks[task].name),
      );
const modelLink = (step, text) =>
  h(
    "button",
    {
      type: "button",
      class: "link",
      onclick: () => {
        choose({ kind: "model", step });
      },
    },
    text,
  );

function card(data, growth, at) {
  const parts = { task: taskCard, layer: layerCard, model: modelCard }[at.kind](data, growth, at);
  const close = h(
    "button",
    { type: "button", class: "quiet", "aria-label": "Clear the choice", onclick: () => choose(at) },
    "✕",
  );
  return h("div", { class: "card" }, h("header", {}, h("h3", {}, parts.title), close), parts.body);
}

function taskCard(data, growth, at) {
  const task = data.tasks[at.task];
  const facts = h(
    "dl",
    {},
    row("validation", `${percent(growth.accuracy(at.task))}\u00a0%`),
    atEnd() ? row("test", `${percent(task.test_accuracy)}\u00a0%`) : null,
    row("classes", count(task.classes)),
    known(task.parameters)
      ? [
          row("parameters", count(task.parameters)),
          row("accounted", count(task.accounted_parameters)),
          row("FLOPs", compact(task.flops)),
          row("model", h("code", {}, task.model ?? NOTHING)),
        ]
      : null,
  );
  const layers = growth.layers(at.task);
  const body = [facts];
  if (!layers) body.push(h("p", { class: "small" }, task.model ? "No model at this step." : "Not evolved yet."));
  else body.push(h("h4", {}, "Layers, from head to images"), layerList(data, growth, at.task, layers));
  const lineage = data.lineages[at.task] || [];
  if (lineage.length && atEnd()) body.push(h("h4", {}, "Lineage, newest first"), lineageList(data, lineage));
  return { title: named(taskColour(at.task), task.name), body };
}

function layerList(data, growth, task, layers) {
  const items = [...data.rows.keys()]
    .reverse()
    .map((n) => data.rows[n])
    .filter((slot) => layers[slot] >= 0)
    .map((slot) => {
      const layer = layers[slot],
        by = data.by(layer),
        users = growth.users(layer).length;
      return h(
        "li",
        {},
        swatch(taskColour(by)),
        h(
          "button",
          { type: "button", class: "link", onclick: () => choose({ kind: "layer", layer }) },
          data.slots[slot],
        ),
        h(
          "span",
          { class: "value" },
          by === task ? "own" : by === ROOT ? "root" : bdi(data.taskName(by)),
          users > 1 ? ` · ${users} tasks` : "",
        ),
      );
    });
  return h("ul", { class: "long" }, items);
}

function lineageList(data, lineage) {
  return h(
    "ol",
    { class: "long" },
    lineage.map((entry) => {
      const title = data.taskName(entry.task);
      const name = known(entry.step) ? modelLink(entry.step, bdi(title)) : bdi(title);
      const changes = known(entry.step) ? h("span", { class: "small" }, ` ${data.told(entry.step).join(", ")}`) : "";
      return h(
        "li",
        {},
        swatch(taskColour(entry.task)),
        h("span", {}, name, changes),
        h(
          "span",
          { class: "value" },
          known(entry.validation_accuracy) ? `${percent(entry.validation_accuracy, 1)}\u00a0%` : "",
        ),
      );
    }),
  );
}

function layerCard(data, growth, at) {
  const by = data.by(at.layer),
    users = growth.users(at.layer),
    id = data.layers.id[at.layer];
  const body = [
    h(
      "dl",
      {},
      row("trained by", taskLink(data, by)),
      row("parameters", count(data.layers.parameters[at.layer])),
      id ? row("layer", h("code", {}, id)) : null,
    ),
    h("h4", {}, users.length === 1 ? "Used by 1 task" : `Used by ${users.length} tasks`),
    h(
      "ul",
      { class: "long" },
      users.map((task) =>
        h(
          "li",
          {},
          swatch(taskColour(task)),
          taskLink(data, task),
          h("span", { class: "value" }, `${percent(growth.accuracy(task), 1)}\u00a0%`),
        ),
      ),
    ),
  ];
  return { title: named(taskColour(by), data.slots[data.layers.slot[at.layer]]), body };
}

function modelCard(data, growth, at) {
  const { children } = data,
    task = data.task[at.step];
  const chain = data.chain(at.step).slice(1);
  const body = [
    h("p", { class: "small" }, data.verdict(at.step)),
    h(
      "dl",
      {},
      row("task", taskLink(data, task)),
      row("score", known(data.score[at.step]) ? `${percent(data.score[at.step])}\u00a0%` : NOTHING),
      row("validation", `${percent(data.accuracy[at.step])}\u00a0%`),
      row("parameters", count(children.parameters[at.step])),
      row("time", duration(children.seconds[at.step])),
      row("task iteration", `${children.iteration[at.step] + 1}, generation ${children.generation[at.step] + 1}`),
      children.model[at.step] ? row("model", h("code", {}, children.model[at.step])) : null,
    ),
    h("h4", {}, "What it changed"),
    h("p", { class: "small", css: { margin: "0" } }, data.told(at.step).join(", ")),
    h("h4", {}, chain.length ? "Its ancestors" : parentText(data, at.step)),
    h(
      "ol",
      { class: "long" },
      chain.map((step) =>
        h(
          "li",
          {},
          swatch(taskColour(data.task[step])),
          modelLink(step, [`${count(step + 1)} `, bdi(data.tasks[data.task[step]].name)]),
          h("span", { class: "value" }, known(data.score[step]) ? `${percent(data.score[step], 1)}\u00a0%` : ""),
        ),
      ),
    ),
  ];
  return { title: named(taskColour(task), `Child ${count(at.step + 1)}`), body };
}
