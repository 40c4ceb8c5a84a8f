// Made from web/ by `make web`; change it there.
"use strict";
(() => {
  // page/base/dom.js
  var SVG = "http://www.w3.org/2000/svg";
  function put(node, children) {
    for (const child of children) {
      if (child === null || child === void 0 || child === false) continue;
      if (child instanceof Node) node.append(child);
      else if (typeof child === "object") put(node, child);
      else node.append(String(child));
    }
  }
  function fill(node, properties, children) {
    for (const [key2, value] of Object.entries(properties)) {
      if (value === null || value === void 0 || value === false) continue;
      if (key2.startsWith("on")) node.addEventListener(key2.slice(2), value);
      else if (key2 === "colour") node.style.background = value;
      else if (key2 === "css") for (const [name, v] of Object.entries(value)) node.style.setProperty(name, v);
      else node.setAttribute(key2, value === true ? "" : value);
    }
    put(node, children);
    return node;
  }
  var h = (tag, properties = {}, ...children) => fill(document.createElement(tag), properties, children);
  var s = (tag, properties = {}, ...children) => fill(document.createElementNS(SVG, tag), properties, children);
  var clear = (node) => (node.replaceChildren(), node);
  var bdi = (text) => h(
    "bdi",
    { dir: "auto", class: String(text).length < 24 ? "short" : null },
    String(text).split(/(?<=[-_./:])/).flatMap((part, n) => n ? [h("wbr"), part] : [part])
  );
  function $(selector) {
    const found = document.querySelector(selector);
    if (!(found instanceof HTMLElement)) throw new Error(`munet: the page has no ${selector}`);
    return found;
  }
  var swatch = (colour) => h("span", { class: "swatch", colour, "aria-hidden": "true" });
  var named = (colour, text) => h("span", { class: "named" }, swatch(colour), bdi(text));
  function choice(label, options, value, changed) {
    const box = h("div", { class: "choice", role: "group", "aria-label": label });
    const press = (wanted) => box.querySelectorAll("button").forEach((b) => b.setAttribute("aria-pressed", String(b.value === wanted)));
    for (const [key2, text] of options) {
      box.append(
        h(
          "button",
          {
            type: "button",
            value: key2,
            onclick: () => {
              press(key2);
              changed(key2);
            }
          },
          text
        )
      );
    }
    press(value);
    return box;
  }
  function select(label, options, value, changed) {
    const box = h(
      "select",
      { onchange: () => changed(box.value) },
      options.map(([key2, text]) => h("option", { value: key2, selected: key2 === value }, text))
    );
    return h("label", {}, label, " ", box);
  }
  function refill(box, make) {
    const open = [...box.querySelectorAll("details[open] > summary")].map((summary2) => summary2.textContent ?? "");
    clear(box);
    make(box);
    for (const details of box.querySelectorAll("details"))
      if (open.includes(details.querySelector("summary")?.textContent ?? "")) details.open = true;
  }

  // page/model/state.js
  var state = {
    data: (
      /** @type {any} */
      null
    ),
    growth: (
      /** @type {any} */
      null
    ),
    step: 0,
    moved: false,
    playing: false,
    hover: null,
    chosen: null,
    query: ""
  };
  var listeners = /* @__PURE__ */ new Map();
  function on(event, listener) {
    listeners.set(event, [...listeners.get(event) ?? [], listener]);
  }
  function emit(event) {
    for (const listener of listeners.get(event) ?? []) listener();
  }
  var focus = () => state.hover || state.chosen;
  var same = (a, b) => a === b || Boolean(a && b && a.kind === b.kind && a.task === b.task && a.layer === b.layer && a.step === b.step);
  function hover(wanted) {
    if (same(state.hover, wanted)) return;
    state.hover = wanted;
    emit("focus");
  }
  function choose(wanted) {
    if (wanted && !isThere(wanted)) return;
    state.chosen = same(state.chosen, wanted) ? null : wanted;
    state.hover = null;
    emit("choice");
    emit("focus");
  }
  function isThere(wanted) {
    const { data } = state;
    if (wanted.kind === "task") return data.tasks[wanted.task] !== void 0;
    if (wanted.kind === "layer") return data.layers.slot[wanted.layer] !== void 0;
    return wanted.kind === "model" && wanted.step < data.count;
  }
  function goto(step) {
    const wanted = Math.max(0, Math.min(state.data.count - 1, Math.round(step)));
    if (state.data.count === 0 || wanted === state.step) return;
    state.step = wanted;
    state.moved = state.growth.goto(wanted);
    emit("step");
  }
  var atEnd = () => state.step >= state.data.count - 1;
  function again(before, data, at) {
    if (at.kind === "task") {
      const task = data.tasks.findIndex((one) => one.name === before.tasks[at.task].name);
      return task < 0 ? null : { kind: "task", task };
    }
    if (at.kind === "layer") {
      const id = before.layers.id[at.layer], layer = id ? data.layers.id.indexOf(id) : -1;
      return layer < 0 ? null : { kind: "layer", layer };
    }
    return at.step < data.count ? at : null;
  }

  // page/base/theme.js
  var NAMES = (
    /** @type {const} */
    [
      "ground",
      "panel",
      "ink",
      "muted",
      "faint",
      "rule",
      "hair",
      "accent",
      "root",
      "root-ink",
      "sampled",
      "heat-0",
      "heat-1",
      "heat-2"
    ]
  );
  var theme = { dark: false, sans: "sans-serif", colours: /* @__PURE__ */ Object.create(null) };
  function readTheme() {
    const style = getComputedStyle(document.documentElement);
    for (const name of NAMES) theme.colours[name] = style.getPropertyValue(`--${name}`).trim();
    theme.sans = style.getPropertyValue("--sans");
  }
  function setTheme(dark) {
    theme.dark = dark;
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    readTheme();
    emit("theme");
  }
  function startTheme(button) {
    const system = matchMedia("(prefers-color-scheme: dark)");
    let own2 = null;
    try {
      own2 = localStorage.getItem("munet-theme");
    } catch {
    }
    const label = () => {
      button.textContent = theme.dark ? "Light" : "Dark";
      button.setAttribute("aria-label", theme.dark ? "Switch to light colours" : "Switch to dark colours");
    };
    button.addEventListener("click", () => {
      const wanted = theme.dark ? "light" : "dark";
      own2 = wanted;
      try {
        localStorage.setItem("munet-theme", wanted);
      } catch {
      }
      setTheme(wanted === "dark");
      label();
    });
    system.addEventListener("change", () => {
      if (!own2) {
        setTheme(system.matches);
        label();
      }
    });
    setTheme(own2 ? own2 === "dark" : system.matches);
    label();
    let dark = theme.dark;
    addEventListener("beforeprint", () => {
      dark = theme.dark;
      if (dark) setTheme(false);
    });
    addEventListener("afterprint", () => {
      if (dark) setTheme(true);
    });
  }
  var taskColour = (task) => state.data.tasks[task]?.[theme.dark ? "dark" : "colour"] ?? theme.colours.root;

  // page/base/tip.js
  var tip = {
    /**
     * @param {number} x of the pointer in the window
     * @param {number} y
     * @param {string} title
     * @param {string[]} lines empty ones are left out
     */
    show(x, y, title, lines) {
      const box = $("#tip");
      clear(box).append(h("b", {}, title), ...lines.filter(Boolean).map((line3) => h("span", {}, line3)));
      box.hidden = false;
      const { width, height } = box.getBoundingClientRect();
      const left = x + 16 + width > innerWidth - 8 ? x - 16 - width : x + 16;
      box.style.left = `${Math.max(8, Math.min(innerWidth - width - 8, left))}px`;
      box.style.top = `${Math.max(8, Math.min(innerHeight - height - 8, y + 18 + height > innerHeight ? y - height - 12 : y + 18))}px`;
    },
    hide() {
      $("#tip").hidden = true;
    }
  };
  function mark(node, title, lines = []) {
    node.classList.add("mark");
    const show = (event) => tip.show(event.clientX, event.clientY, title, lines);
    node.addEventListener(
      "pointermove",
      /** @type {EventListener} */
      show
    );
    node.addEventListener("pointerleave", tip.hide);
    return node;
  }

  // page/base/numbers.js
  var NOTHING = "–";
  var known = (value) => value !== null && value !== void 0 && Number.isFinite(value);
  var difference = (a, b) => known(a) && known(b) ? a - b : NaN;
  var grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
  var count = (value) => known(value) ? grouped.format(value) : NOTHING;
  var percent = (value, digits2 = 2) => known(value) ? (100 * value).toFixed(digits2) : NOTHING;
  var portion = (value) => value > 0 && value < 5e-3 ? "< 1" : value >= 0.995 && value < 1 ? "> 99" : percent(value, 0);
  var scored = (value) => known(value) ? value.toFixed(4) : NOTHING;
  function gapText(validation, test) {
    const gap = difference(validation, test);
    return known(gap) ? `${gap < 0 ? "−" : "+"}${(100 * Math.abs(gap)).toFixed(2)}` : NOTHING;
  }
  var counted = (value, noun) => {
    const ending = value === 1 ? "" : noun.endsWith("s") ? "es" : "s";
    return `${count(value)} ${noun === "child" && value !== 1 ? "children" : noun + ending}`;
  };
  var SIZES = [
    [1e18, "E"],
    [1e15, "P"],
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"]
  ];
  function compact(value, unit = "") {
    if (!known(value)) return NOTHING;
    for (const [limit, sign] of SIZES) {
      if (Math.abs(value) >= 0.9995 * limit) return `${digits(value / limit)} ${sign}${unit}`;
    }
    return `${digits(value)}${unit ? ` ${unit}` : ""}`;
  }
  var digits = (value) => Math.abs(value) >= 99.95 || Number.isInteger(value) ? value.toFixed(0) : Math.abs(value) >= 9.995 ? value.toFixed(1) : value.toFixed(2);
  var flops = (value) => compact(value, "FLOP");
  function duration(seconds) {
    if (!known(seconds)) return NOTHING;
    if (seconds === 0) return "0";
    if (seconds < 59.5) return `${digits(seconds)} s`;
    if (seconds >= 96 * 3600) return `${digits(seconds / 86400)} days`;
    const whole2 = Math.round(seconds), hours = Math.floor(whole2 / 3600), minutes = Math.floor(whole2 / 60) % 60, two = (value) => String(value).padStart(2, "0");
    return hours ? `${hours}:${two(minutes)}:${two(whole2 % 60)}` : `${minutes}:${two(whole2 % 60)}`;
  }

  // page/base/table.js
  function dataTable(title, rows) {
    const box = h("details", { class: "data" }, h("summary", {}, `${title}, as a table`));
    box.addEventListener("toggle", () => {
      if (!box.open || box.children.length > 1) return;
      const [head, ...body] = rows();
      const shown = body.slice(0, 3e3);
      box.append(
        h(
          "div",
          { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
          h(
            "table",
            {},
            h("caption", { class: "unseen" }, title),
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                head.map((cell) => h("th", { scope: "col" }, cell))
              )
            ),
            h(
              "tbody",
              {},
              shown.map(
                (row2) => h(
                  "tr",
                  {},
                  row2.map(
                    (cell, n) => h(n ? "td" : "th", n ? {} : { scope: "row" }, n ? String(cell ?? "–") : bdi(String(cell)))
                  )
                )
              )
            )
          )
        )
      );
      if (shown.length < body.length)
        box.append(h("p", { class: "small" }, `The first ${count(shown.length)} of ${count(body.length)} rows.`));
    });
    return box;
  }

  // page/charts/chart.js
  var charts = /* @__PURE__ */ new Set();
  function chart({ title, note, height, label, draw: draw2, rows, chosen = false }) {
    const paper = h("div", { class: "paper" });
    const box = h(
      "figure",
      {},
      title ? h("figcaption", {}, h("h3", {}, title), note ? h("span", { class: "small" }, note) : null) : null,
      paper,
      rows ? dataTable(label, rows) : null
    );
    let seen = 0;
    const paint = () => {
      const width = Math.floor(paper.clientWidth);
      if (!width) return;
      seen = width;
      const tall = typeof height === "function" ? height(width) : height;
      const svg = s("svg", { viewBox: `0 0 ${width} ${tall}`, height: tall, role: "img", "aria-label": label });
      draw2(svg, width, tall);
      clear(paper).append(svg);
    };
    new ResizeObserver(() => {
      if (Math.abs(paper.clientWidth - seen) > 1) paint();
    }).observe(paper);
    charts.add({ box, paint, chosen });
    return box;
  }
  function repaintCharts(choiceOnly = false) {
    for (const one of charts) {
      if (!one.box.isConnected) charts.delete(one);
      else if (!choiceOnly || one.chosen) one.paint();
    }
  }

  // page/contents.js
  function contents(comes2) {
    const list = $("#contents"), links = /* @__PURE__ */ new Map();
    for (const section of document.querySelectorAll("section[data-name]")) {
      const link = h("a", { href: `#${section.id}` }, section.getAttribute("data-name"));
      links.set(section, link);
      list.append(h("li", {}, link));
    }
    const coming = new IntersectionObserver(
      (entries) => entries.forEach(({ target, isIntersecting }) => comes2(target.id, isIntersecting)),
      { rootMargin: "900px 0px" }
    );
    const middle = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          const link = links.get(target);
          if (!link) continue;
          if (isIntersecting) bringIntoView(link);
          if (isIntersecting) link.setAttribute("aria-current", "true");
          else link.removeAttribute("aria-current");
        }
      },
      { rootMargin: "-45% 0px -54% 0px" }
    );
    document.querySelectorAll("main > section").forEach((section) => {
      coming.observe(section);
      middle.observe(section);
    });
  }
  function bringIntoView(link) {
    const room = $("header nav");
    room.scrollTo({ left: link.offsetLeft - room.offsetLeft - room.clientWidth / 2 + link.offsetWidth / 2 });
  }

  // page/base/text.js
  function listed(parts2) {
    return parts2.flatMap((part, n) => n === 0 ? [part] : [n === parts2.length - 1 ? " and " : ", ", part]);
  }
  var readable = (name) => name.replaceAll("_", " ");
  function shortened(text, room, measure) {
    if (measure(text) <= room) return text;
    const letters = [...text];
    for (let keep = letters.length - 1; keep > 1; keep--) {
      const tail = Math.floor(keep / 3);
      const cut = letters.slice(0, keep - tail).join("") + "…" + (tail ? letters.slice(-tail).join("") : "");
      if (measure(cut) <= room) return cut;
    }
    return "…";
  }

  // page/model/data.js
  var ROOT = -1;
  var Data = class {
    /** @param {Payload} payload */
    constructor(payload) {
      this.title = payload.title;
      this.made = payload.made;
      this.notes = payload.notes;
      this.root = payload.root;
      this.totals = payload.totals;
      this.tasks = payload.tasks;
      this.order = payload.order;
      this.families = payload.families;
      this.slots = payload.slots;
      this.layers = payload.layers;
      this.paths = payload.paths;
      this.moments = payload.moments;
      this.retained = payload.retained;
      this.children = payload.children;
      this.words = payload.words;
      this.runs = payload.runs;
      this.lineages = payload.lineages;
      this.sharing = payload.sharing;
      this.flow = payload.flow;
      this.settings = payload.settings;
      this.probabilities = payload.probabilities;
      this.learning = payload.learning;
      this.rejected = payload.rejected;
      this.costs = payload.costs;
      this.progress = payload.progress;
      this.ways = payload.ways;
      this.images = payload.images;
      const rows = payload.children;
      this.count = rows.task.length;
      this.score = Float64Array.from(rows.score, (v) => v ?? NaN);
      this.accuracy = Float64Array.from(rows.accuracy, (v) => v ?? NaN);
      this.task = Int32Array.from(rows.task);
      this.parent = Int32Array.from(rows.parent);
      this.state = Uint8Array.from(rows.state);
      this.full = /* @__PURE__ */ new Map();
      this.column = new Int32Array(this.tasks.length);
      this.order.forEach((task, place) => {
        this.column[task] = place;
      });
      this.rows = this.slots.map((_, slot) => slot).filter((slot) => this.slots[slot] !== "norm");
      this.slotOf = new Map(this.slots.map((name, slot) => [name, slot]));
      this.gone = this.words.mutations.map((word) => word.startsWith("−") ? this.slotOf.get(word.slice(1)) : void 0);
      this.retainedStep = this.lastMoments();
    }
    /**
     * Layer in each slot (-1: none) of a path; a path is its base and what is different. null for path -1.
     * @param {number} path
     * @returns {Int32Array | null}
     */
    layersOf(path) {
      if (path < 0) return null;
      let known2 = this.full.get(path);
      if (known2) return known2;
      const chain = [];
      for (let at = path; at >= 0 && !known2; at = this.paths[at][0]) {
        known2 = this.full.get(at);
        if (!known2) chain.push(at);
      }
      known2 ??= new Int32Array(this.slots.length).fill(-1);
      for (const at of chain.reverse()) {
        const delta = this.paths[at];
        known2 = known2.slice();
        for (let n = 1; n < delta.length; n += 2) known2[delta[n]] = delta[n + 1];
        this.full.set(at, known2);
      }
      return known2;
    }
    lastMoments() {
      const last = new Int32Array(this.tasks.length).fill(-1);
      this.moments.task.forEach((task, n) => {
        last[task] = this.moments.sampled[n];
      });
      return last;
    }
    /**
     * The sampled child's layers: its parent's, and which slots are its own. null where the parent's are not known.
     * @param {number} step
     * @returns {Way | null}
     */
    sampled(step) {
      const parent = this.parent[step];
      const base = this.layersOf(parent === ROOT ? 0 : parent >= 0 ? this.children.path[parent] : -1);
      if (!base || !this.paths.length) return null;
      const layers = base.slice();
      const own2 = new Set(this.children.own[step]);
      for (const word of this.children.mutations[step]) {
        const gone = this.gone[word];
        if (gone !== void 0) layers[gone] = -1;
      }
      for (const slot of own2) layers[slot] = -1;
      return { task: this.task[step], layers, own: own2 };
    }
    /**
     * Steps of a child and its ancestors, itself first.
     * @param {number} step
     */
    chain(step) {
      const found = [];
      for (let at = step; at >= 0 && found.length < 5e3; at = this.parent[at]) found.push(at);
      return found;
    }
    /** @param {number} step */
    verdict(step) {
      const state2 = this.state[step];
      if (state2 === 0) return `rejected: ${this.words.reasons[this.children.reason[step]] ?? "no reason recorded"}`;
      return state2 === 1 ? "accepted" : "accepted, best so far";
    }
    /** @param {number} layer */
    by(layer) {
      return this.layers.by[layer];
    }
    /**
     * The tasks that trained a layer (ROOT: the root): one, or those that trained it together.
     * @param {number} layer
     */
    makers(layer) {
      const together = this.layers.together[layer];
      return together.length ? together : [this.layers.by[layer]];
    }
    /**
     * Who trained a layer, in words: of many the first few.
     * @param {number} layer
     * @param {number} most
     */
    madeBy(layer, most = 3) {
      const names = this.makers(layer).map((task) => this.taskName(task));
      if (names.length <= most) return listed(names).join("");
      return `${names.slice(0, most - 1).join(", ")} and ${names.length - most + 1} more together`;
    }
    /** @param {number} task */
    taskName(task) {
      return task === ROOT ? "the root" : this.tasks[task]?.name ?? "a task that is not here";
    }
    /**
     * What its images show of a task; null where nothing was measured.
     * @param {number} task
     * @returns {Seen | null}
     */
    seen(task) {
      const found = this.images[task];
      return found?.missing === null ? found : null;
    }
    /**
     * Why there are no images of a task; empty where there are.
     * @param {number} task
     */
    missing(task) {
      if (!this.tasks[task].model) return "it has no model yet";
      return this.images[task] ? this.images[task]?.missing ?? "" : "they were left out of this page";
    }
    /**
     * What a child did to its parent, in a few words.
     * @param {number} step
     */
    told(step) {
      const own2 = this.children.own[step].map((slot) => this.slots[slot]).filter((slot) => slot !== "norm" && slot !== "head");
      return [
        ...this.children.mutations[step].map((word) => this.words.mutations[word]),
        own2.length ? `its own ${own2.join(", ")} and head` : "its own head"
      ];
    }
  };

  // page/network/describe.js
  function describe(data, growth, at) {
    if (at.kind === "task") {
      const task = data.tasks[at.task];
      const grown = growth.paths[at.task] >= 0;
      return {
        title: task.name,
        lines: [
          grown ? `validation ${percent(growth.accuracy(at.task))} %` : "no model yet at this step",
          task.by && atEnd() ? `evolved by ${task.by}` : "",
          grown && known(task.test_accuracy) && atEnd() ? `test ${percent(task.test_accuracy)} %` : "",
          grown && known(task.accounted_parameters) && atEnd() ? `${compact(task.accounted_parameters)} accounted parameters` : ""
        ]
      };
    }
    if (at.kind === "layer") {
      const users = growth.users(at.layer);
      const names = users.slice(0, 4).map((task) => data.tasks[task].name).join(", ");
      return {
        title: data.slots[data.layers.slot[at.layer]],
        lines: [
          `trained by ${data.madeBy(at.layer)}`,
          `${count(data.layers.parameters[at.layer])} parameters`,
          users.length ? `used by ${users.length > 4 ? `${names} and ${users.length - 4} more` : names}` : "used by no task now"
        ]
      };
    }
    return {
      title: `Child ${count(at.step + 1)} of ${data.tasks[data.task[at.step]].name}`,
      lines: [
        data.verdict(at.step),
        known(data.score[at.step]) ? `score ${scored(data.score[at.step])}` : "no score",
        parentText(data, at.step)
      ]
    };
  }
  function parentText(data, step) {
    const parent = data.parent[step];
    if (parent === ROOT) return "from the root";
    if (parent < 0) return "from a parent that is not recorded";
    return data.task[parent] === data.task[step] ? `from its own child ${count(parent + 1)}` : `from child ${count(parent + 1)} of ${data.tasks[data.task[parent]].name}`;
  }

  // page/task/address.js
  var BEGINS = "#task=";
  var addressOf = (task) => BEGINS + encodeURIComponent(task.name);
  function taskAt(data, hash) {
    if (!hash.startsWith(BEGINS)) return -1;
    try {
      const name = decodeURIComponent(hash.slice(BEGINS.length));
      return data.tasks.findIndex((task) => task.name === name);
    } catch {
      return -1;
    }
  }

  // page/network/cards.js
  var row = (term, value) => [h("dt", {}, term), h("dd", {}, value)];
  var taskLink = (data, task) => task < 0 ? h("span", {}, data.taskName(task)) : h(
    "button",
    { type: "button", class: "link", onclick: () => choose({ kind: "task", task }) },
    bdi(data.tasks[task].name)
  );
  var modelLink = (step, text) => h(
    "button",
    {
      type: "button",
      class: "link",
      onclick: () => {
        choose({ kind: "model", step });
      }
    },
    text
  );
  function card(data, growth, at) {
    const parts2 = at.kind === "task" ? taskCard(data, growth, at.task) : at.kind === "layer" ? layerCard(data, growth, at.layer) : modelCard(data, at.step);
    const close = h(
      "button",
      { type: "button", class: "quiet", "aria-label": "Clear the choice", onclick: () => choose(at) },
      "✕"
    );
    return h("div", { class: "card" }, h("header", {}, h("h3", {}, parts2.title), close), parts2.body);
  }
  function taskCard(data, growth, number) {
    const task = data.tasks[number];
    const now = growth.model(number);
    const facts = h(
      "dl",
      {},
      row("validation", `${percent(growth.accuracy(number))} %`),
      atEnd() ? [row("test", `${percent(task.test_accuracy)} %`), row("gap", gapOf(task))] : null,
      row("classes", count(task.classes)),
      now ? row("parameters", count(now.parameters)) : null,
      now && atEnd() && known(task.accounted_parameters) ? [row("accounted", count(task.accounted_parameters)), row("FLOPs", compact(task.flops))] : null,
      now ? row("model", h("code", {}, now.id || NOTHING)) : null
    );
    const layers = growth.layers(number);
    const body = [facts, h("p", {}, h("a", { href: addressOf(task) }, "Its images and its errors"))];
    if (!layers) body.push(h("p", { class: "small" }, task.model ? "No model at this step." : "Not evolved yet."));
    else body.push(h("h4", {}, "Layers, from head to images"), layerList(data, growth, number, layers));
    const lineage = data.lineages[number] || [];
    if (lineage.length && atEnd()) body.push(h("h4", {}, "Lineage, newest first"), lineageList(data, lineage));
    return { title: named(taskColour(number), task.name), body };
  }
  function layerList(data, growth, task, layers) {
    const items = [...data.rows.keys()].reverse().map((n) => data.rows[n]).filter((slot) => layers[slot] >= 0).map((slot) => {
      const layer = layers[slot], by = data.by(layer), users = growth.users(layer).length;
      return h(
        "li",
        {},
        swatch(taskColour(by)),
        h(
          "button",
          { type: "button", class: "link", onclick: () => choose({ kind: "layer", layer }) },
          data.slots[slot]
        ),
        h(
          "span",
          { class: "value" },
          own(data, layer, task) ? "own" : by === ROOT ? "root" : bdi(data.taskName(by)),
          users > 1 ? ` · ${users} tasks` : ""
        )
      );
    });
    return h("ul", { class: "long" }, items);
  }
  var own = (data, layer, task) => data.makers(layer).includes(task);
  function lineageList(data, lineage) {
    return h(
      "ol",
      { class: "long" },
      lineage.map((entry2) => {
        const title = data.taskName(entry2.task);
        const name = known(entry2.step) ? modelLink(entry2.step, bdi(title)) : bdi(title);
        const changes = known(entry2.step) ? h("span", { class: "small" }, ` ${data.told(entry2.step).join(", ")}`) : "";
        return h(
          "li",
          {},
          swatch(taskColour(entry2.task)),
          h("span", {}, name, changes),
          h(
            "span",
            { class: "value" },
            known(entry2.validation_accuracy) ? `${percent(entry2.validation_accuracy, 1)} %` : ""
          )
        );
      })
    );
  }
  var gapOf = (task) => `${gapText(task.validation_accuracy, task.test_accuracy)} points`;
  function layerCard(data, growth, layer) {
    const by = data.by(layer), users = growth.users(layer), id = data.layers.id[layer];
    const body = [
      h(
        "dl",
        {},
        row("trained by", listed(data.makers(layer).map((task) => taskLink(data, task)))),
        row("parameters", count(data.layers.parameters[layer])),
        id ? row("layer", h("code", {}, id)) : null
      ),
      h("h4", {}, users.length === 1 ? "Used by 1 task" : `Used by ${users.length} tasks`),
      h(
        "ul",
        { class: "long" },
        users.map(
          (task) => h(
            "li",
            {},
            swatch(taskColour(task)),
            taskLink(data, task),
            h("span", { class: "value" }, `${percent(growth.accuracy(task), 1)} %`)
          )
        )
      )
    ];
    return { title: named(taskColour(by), data.slots[data.layers.slot[layer]]), body };
  }
  function modelCard(data, step) {
    const { children } = data, task = data.task[step];
    const chain = data.chain(step).slice(1);
    const body = [
      h("p", { class: "small" }, data.verdict(step)),
      h(
        "dl",
        {},
        row("task", taskLink(data, task)),
        row("score", scored(data.score[step])),
        row("validation", `${percent(data.accuracy[step])} %`),
        row("parameters", count(children.parameters[step])),
        row("time", duration(children.seconds[step])),
        row("task iteration", `${children.iteration[step] + 1}, generation ${children.generation[step] + 1}`),
        children.model[step] ? row("model", h("code", {}, children.model[step])) : null
      ),
      h("h4", {}, "What it changed"),
      h("p", { class: "small", css: { margin: "0" } }, data.told(step).join(", ")),
      h("h4", {}, chain.length ? "Its ancestors" : parentText(data, step)),
      h(
        "ol",
        { class: "long" },
        chain.map(
          (one) => h(
            "li",
            {},
            swatch(taskColour(data.task[one])),
            modelLink(one, [`${count(one + 1)} `, bdi(data.tasks[data.task[one]].name)]),
            h("span", { class: "value" }, known(data.score[one]) ? scored(data.score[one]) : "")
          )
        )
      )
    ];
    return { title: named(taskColour(task), `Child ${count(step + 1)}`), body };
  }

  // page/network/lit.js
  function lit(data, growth, query) {
    const at = focus();
    if (at?.kind === "task") {
      const layers2 = growth.layers(at.task);
      return { tasks: /* @__PURE__ */ new Set([at.task]), layers: new Set(layers2 || []) };
    }
    if (at?.kind === "layer") return { tasks: new Set(growth.users(at.layer)), layers: /* @__PURE__ */ new Set([at.layer]) };
    if (at?.kind === "model") {
      const layers2 = data.layersOf(data.children.path[at.step]);
      const way = layers2 ? { task: data.task[at.step], layers: layers2, own: /* @__PURE__ */ new Set() } : data.sampled(at.step);
      return way ? { tasks: /* @__PURE__ */ new Set(), named: way.task, accuracy: data.accuracy[at.step], layers: new Set(way.layers), way } : null;
    }
    if (!query) return null;
    const tasks2 = new Set(data.order.filter((task) => matches(data, task, query)));
    const layers = /* @__PURE__ */ new Set();
    for (const task of tasks2) for (const layer of growth.layers(task) || []) layers.add(layer);
    data.layers.id.forEach((id, layer) => {
      if (query.length > 3 && id.startsWith(query)) {
        layers.add(layer);
        growth.users(layer).forEach((t) => tasks2.add(t));
      }
    });
    return { tasks: tasks2, layers };
  }
  function matches(data, task, query) {
    const { name, model } = data.tasks[task];
    return name.toLowerCase().includes(query) || query.length > 3 && (model || "").startsWith(query);
  }

  // page/network/side.js
  var Side = class {
    /** @type {Data} */
    data;
    /** @type {number | undefined} the first task of the list */
    first;
    /** @type {Map<number, HTMLElement>} where each task's accuracy stands */
    values = /* @__PURE__ */ new Map();
    /** @param {HTMLElement} host */
    constructor(host) {
      this.search = h("input", {
        type: "search",
        placeholder: "Find a task, model or layer",
        "aria-label": "Find a task by name, or a model or layer by the start of its id",
        oninput: () => {
          state.query = this.search.value.trim().toLowerCase();
          this.list();
          emit("focus");
        }
      });
      this.card = h("div", { "aria-live": "polite" });
      this.legend = h("ul", { class: "legend", "aria-label": "Tasks" });
      this.rest = h("div", { class: "fill" }, this.card, this.legend);
      host.append(this.search, this.rest);
      this.search.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && this.first !== void 0) choose({ kind: "task", task: this.first });
      });
    }
    /** @param {Data} data */
    set(data) {
      this.data = data;
      this.list();
      this.choice();
    }
    list() {
      const { data } = this;
      clear(this.legend);
      this.first = void 0;
      this.values = /* @__PURE__ */ new Map();
      for (const task of data.order) {
        if (state.query && !matches(data, task, state.query)) continue;
        this.first ??= task;
        const at = { kind: "task", task };
        const value = h("span", { class: "value" });
        this.values.set(task, value);
        this.legend.append(
          h(
            "li",
            {},
            h(
              "button",
              {
                type: "button",
                "aria-pressed": String(same(state.chosen, at)),
                title: data.tasks[task].name,
                onclick: () => choose(at),
                onpointerenter: () => hover(at),
                onpointerleave: () => hover(null),
                onfocus: () => hover(at),
                onblur: () => hover(null)
              },
              swatch(taskColour(task)),
              bdi(data.tasks[task].name),
              value
            )
          )
        );
      }
      if (this.first === void 0)
        this.legend.append(h("li", { class: "small" }, state.query ? "No task of that name." : "No tasks."));
      this.update();
    }
    /* Accuracies at the present step. */
    update() {
      for (const [task, value] of this.values) {
        const accuracy = state.growth.accuracy(task);
        const text = known(accuracy) ? `${percent(accuracy, 1)} %` : NOTHING;
        if (value.textContent !== text) value.textContent = text;
        value.parentElement?.classList.toggle("idle", state.growth.paths[task] < 0);
      }
    }
    choice() {
      clear(this.card);
      if (state.chosen) this.card.append(card(this.data, state.growth, state.chosen));
      for (const button of this.legend.querySelectorAll("button")) button.setAttribute("aria-pressed", "false");
      if (state.chosen?.kind === "task")
        this.values.get(state.chosen.task)?.parentElement?.setAttribute("aria-pressed", "true");
      this.rest.scrollTop = 0;
    }
  };

  // page/base/canvas.js
  function pen(canvas) {
    const ctx = canvas.getContext("2d");
    if (!ctx) throw new Error("munet: this browser cannot draw on a canvas");
    return ctx;
  }
  var roomFor = (canvas) => canvas.parentElement?.clientWidth ?? 0;
  var sharpness = () => document.documentElement.classList.contains("paper") ? 2 : Math.min(2, devicePixelRatio || 1);
  var measuring;
  function widthOf(text, size = 12) {
    measuring ??= pen(document.createElement("canvas"));
    measuring.font = `${size}px ${theme.sans}`;
    return measuring.measureText(text).width;
  }
  function turned(ctx, text, x, y, angle, align) {
    ctx.save();
    ctx.translate(x, y);
    ctx.rotate(angle);
    ctx.textAlign = align;
    ctx.fillText(text, 0, 0);
    ctx.restore();
  }
  function folded(ctx, name, room) {
    const wide = (text) => ctx.measureText(text).width;
    if (wide(name) <= room) return [name];
    const parts2 = name.match(/[^-_./ ]+[-_./ ]*|[-_./ ]+/g) || [name];
    let first = "";
    while (parts2.length > 1 && wide(first + parts2[0]) <= room) first += parts2.shift();
    if (!first) return [shortened(name, room, wide)];
    return [first.trim(), shortened(parts2.join(""), room, wide)];
  }

  // page/base/colours.js
  function heat(part) {
    const [low, middle, high] = (
      /** @type {const} */
      ["heat-0", "heat-1", "heat-2"].map((name) => theme.colours[name])
    );
    return part < 0.5 ? mixed(low, middle, 2 * part) : mixed(middle, high, 2 * part - 1);
  }
  function mixed(from, to, part) {
    const channel = (colour, at) => parseInt(colour.slice(at, at + 2), 16);
    return `#${[1, 3, 5].map(
      (at) => Math.round(Math.sqrt(channel(from, at) ** 2 * (1 - part) + channel(to, at) ** 2 * part)).toString(16).padStart(2, "0")
    ).join("")}`;
  }
  function inkOn(colour) {
    const channels = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
    const [r, g, b] = channels.map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.3 ? "#1b2127" : "#ffffff";
  }

  // page/network/families.js
  var FAMILY_ROOM = 17;
  var LETTERS = 5;
  function drawFamilies(view, step) {
    const { ctx, data } = view;
    ctx.save();
    ctx.beginPath();
    ctx.rect(view.left - 6, 0, view.width - view.left + 6, view.height);
    ctx.clip();
    ctx.font = `500 11px ${theme.sans}`;
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    const measure = (text) => ctx.measureText(text).width;
    let first = 0;
    for (const family of data.families) {
      const from = view.x(first) - step / 2, wide = family.length * step;
      first += family.length;
      ctx.fillStyle = theme.colours.hair;
      ctx.globalAlpha = 0.8;
      ctx.beginPath();
      ctx.roundRect(from + 1, 3, wide - 2, view.foot + 3, 5);
      ctx.fill();
      ctx.globalAlpha = 1;
      ctx.fillStyle = theme.colours.muted;
      const seen = Math.max(from, view.left - 4), room = Math.min(from + wide, view.width) - seen - 10;
      const more = ` +${family.length - 1}`;
      const name = shortened(data.tasks[family[0]].name, room - measure(more), measure);
      if (name.length >= LETTERS && isPlain(name, data.tasks)) ctx.fillText(name + more, seen + 5, 3 + FAMILY_ROOM / 2);
    }
    ctx.restore();
  }
  function isPlain(shown, tasks2) {
    if (tasks2.some(({ name }) => name === shown)) return true;
    const [head, tail = ""] = shown.split("…");
    return tasks2.filter(({ name }) => name.startsWith(head) && name.endsWith(tail)).length === 1;
  }

  // page/base/ticks.js
  function ticks(low, high, wanted) {
    const raw = (high - low || 1) / Math.max(1, wanted);
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5].map((m) => m * power).find((m) => m >= raw * 0.999) ?? 10 * power;
    const found = [];
    for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++)
      found.push(+(n * step).toPrecision(12));
    return found;
  }
  function timeTicks(low, high, wanted) {
    const unit = [86400, 3600, 60, 1].find((size) => high - low > 1.5 * size) ?? 1;
    return ticks(low / unit, high / unit, wanted).map((value) => value * unit);
  }
  function apartFrom(values, place, low, high, room) {
    const found = [];
    for (const value of values) {
      const y = place(value);
      if (y >= low && y <= high && found.every((other) => Math.abs(place(other) - y) >= room)) found.push(value);
    }
    return found;
  }
  function movedApart(wanted, low, high, gap) {
    const order = wanted.map((_, n) => n).sort((a, b) => wanted[a] - wanted[b]);
    const places = wanted.map((at) => Math.max(low, Math.min(high, at)));
    for (let n = 1; n < order.length; n++) places[order[n]] = Math.max(places[order[n]], places[order[n - 1]] + gap);
    let most = high;
    for (const one of order.reverse()) {
      places[one] = Math.min(places[one], most);
      most = places[one] - gap;
    }
    return places;
  }

  // page/network/slots.js
  var SMALL_SLOTS = ["cls", "posembed", "adapter", "pool"];
  var isSmall = (slot) => SMALL_SLOTS.includes(slot.split(".")[0]);

  // page/network/labels.js
  function drawGuides(view) {
    const { ctx, data } = view;
    const close = view.y.length > 1 && Math.abs(view.y[0] - view.y[view.y.length - 1]) / view.y.length < 19;
    ctx.strokeStyle = theme.colours.hair;
    ctx.lineWidth = 1;
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    for (const y of view.y) {
      ctx.beginPath();
      ctx.moveTo(view.left, Math.round(y) + 0.5);
      ctx.lineTo(view.width - view.right, Math.round(y) + 0.5);
      ctx.stroke();
    }
    ctx.fillStyle = theme.colours.muted;
    ctx.font = `${close ? 10.5 : 12}px ${theme.sans}`;
    const rows = data.rows.map((slot, row2) => ({ row: row2, name: data.slots[slot] })).sort((a, b) => Number(isSmall(a.name)) - Number(isSmall(b.name)));
    for (const row2 of apartFrom(rows, (one) => view.y[one.row], 0, view.height, 11)) {
      const name = row2.name.replace(".", " ");
      ctx.fillText(view.left < 90 ? name.replace("embedding", "embed") : name, view.left - 12, view.y[row2.row] + 0.5);
    }
  }
  function drawHeads(view, light, step) {
    const { ctx, data } = view;
    ctx.textBaseline = "middle";
    const shown = step < 9 ? new Set(labelled(view, light, step, true)) : null;
    if (shown) drawBars(view, light, step, shown);
    for (const task of data.order) {
      const value = light?.named === task ? light.accuracy : state.growth.accuracy(task);
      if (!known(value) || shown && !shown.has(task)) continue;
      ctx.globalAlpha = light && !light.tasks.has(task) && light.named !== task ? 0.25 : 1;
      ctx.fillStyle = theme.colours.ink;
      ctx.font = `600 ${Math.min(12.5, Math.max(8.5, step - 1))}px ${theme.sans}`;
      const x = view.x(data.column[task]), y = view.top - 18;
      if (x < view.left - 6 || x > view.width) continue;
      const text = percent(value, 1);
      if (step > 36) {
        ctx.textAlign = "center";
        ctx.fillText(text, x, y - 6);
      } else turned(ctx, text, x, y, -Math.PI / 2, "left");
    }
    ctx.globalAlpha = 1;
  }
  function labelled(view, light, step, litOnly) {
    const { order } = view.data, every = Math.max(1, Math.ceil(9.4 / step));
    const lit2 = light ? order.filter((task) => light.tasks.has(task) || light.named === task) : [];
    const rest = litOnly ? [] : order.filter((_, place) => place % every === 0);
    return lit2.length || !litOnly ? apartFrom([...lit2, ...rest], (task) => view.data.column[task] * step, -1, Infinity, 9.4) : [];
  }
  function drawBars(view, light, step, labels) {
    const { ctx, data } = view, foot = view.top - 10, tall = view.headRoom - 6;
    for (const task of data.order) {
      const value = state.growth.accuracy(task), x = view.x(data.column[task]);
      if (!known(value) || labels.has(task) || x < view.left - 6) continue;
      ctx.globalAlpha = light && !light.tasks.has(task) ? 0.2 : 0.85;
      ctx.fillStyle = taskColour(task);
      ctx.fillRect(x - step * 0.36, foot - value * tall, Math.max(1, step * 0.72), value * tall);
    }
    ctx.globalAlpha = 1;
  }
  function drawNames(view, light, step) {
    const { ctx, data } = view;
    const shown = step < 9.4 ? new Set(labelled(view, light, step, false)) : null;
    ctx.textBaseline = "middle";
    data.order.forEach((task, place) => {
      const bright = light && (light.tasks.has(task) || light.named === task);
      if (shown && !shown.has(task)) return;
      ctx.globalAlpha = light && !bright ? 0.3 : state.growth.paths[task] < 0 ? 0.45 : 1;
      ctx.fillStyle = theme.colours.ink;
      ctx.font = `${bright ? 600 : 400} ${view.size}px ${theme.sans}`;
      const x = view.x(place), y = view.foot + 10;
      if (x < view.left - 6 || x > view.width) return;
      const key2 = `${task} ${bright ? 1 : 0}`;
      let text = view.labels.get(key2);
      if (text === void 0) {
        text = view.level ? folded(ctx, data.tasks[task].name, view.nameRoom) : [shortened(data.tasks[task].name, view.nameRoom, (t) => ctx.measureText(t).width)];
        view.labels.set(key2, text);
      }
      if (view.level)
        text.forEach((line3, n) => {
          ctx.textAlign = "center";
          ctx.fillText(line3, x, y + 4 + n * 15);
        });
      else turned(ctx, text[0], x, y, step > 16 ? -Math.PI / 4 : -Math.PI / 2, "right");
    });
    ctx.globalAlpha = 1;
  }

  // page/network/draw.js
  var STRIPE = 4;
  function drawNetwork(view) {
    const { ctx, data, ratio, width, height } = view;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    if (!data.tasks.length) return;
    const light = lit(data, state.growth, state.query);
    const step = view.pitch * view.zoom;
    drawFamilies(view, step);
    drawGuides(view);
    ctx.save();
    ctx.beginPath();
    ctx.rect(view.left - 6, 0, width - view.left + 6, height);
    ctx.clip();
    const way = light?.way ?? (data.count && !atEnd() && !light ? data.sampled(state.step) : null);
    drawLines(view, light, step);
    if (way && !light) drawWay(view, way);
    drawBoxes(view, light, step, false, way);
    if (way && light) {
      drawWay(view, way);
      drawBoxes(view, light, step, true, way);
    } else if (light) drawLit(view, light, step);
    if (way) drawOwn(view, way);
    ctx.restore();
    drawHeads(view, light, step);
    drawNames(view, light, step);
  }
  function trace(view, task) {
    const { ctx, scene } = view;
    const half = view.box * 0.3;
    let x = view.x(view.data.column[task]);
    let y = view.foot;
    ctx.moveTo(x, y);
    for (let row2 = 0; row2 < view.y.length; row2++) {
      if (!scene.meets[row2][task]) continue;
      const next = view.x(scene.ports[row2][task]);
      if (Math.abs(next - x) > 0.4) {
        const low = view.y[row2] + half;
        const middle = (y + low) / 2;
        ctx.lineTo(x, y);
        ctx.bezierCurveTo(x, middle, next, middle, next, low);
        x = next;
      }
      y = view.y[row2] - half;
    }
    const top = view.top - 12, end = view.x(view.data.column[task]);
    ctx.lineTo(x, y);
    if (Math.abs(end - x) > 0.4) ctx.bezierCurveTo(x, (y + top) / 2, end, (y + top) / 2, end, top);
    else ctx.lineTo(x, top);
  }
  var lineWidth = (view, step) => Math.max(0.9, Math.min(3, step * 0.05 + 0.6, view.box * 0.22));
  function drawLines(view, light, step) {
    const { ctx, data } = view;
    const thick = lineWidth(view, step);
    const casing = data.tasks.length <= 40 && !light;
    ctx.lineJoin = "round";
    for (let place = data.order.length - 1; place >= 0; place--) {
      const task = data.order[place];
      if (state.growth.paths[task] < 0 || light?.tasks.has(task)) continue;
      const here = view.x(place) > view.left - step && view.x(place) < view.width + step;
      ctx.globalAlpha = light ? 0.13 : here ? 1 : 0.22;
      ctx.beginPath();
      trace(view, task);
      if (casing && here) {
        ctx.strokeStyle = theme.colours.panel;
        ctx.lineWidth = thick + 2.4;
        ctx.stroke();
      }
      ctx.strokeStyle = taskColour(task);
      ctx.lineWidth = thick;
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
  }
  function drawBoxes(view, light, step, only = false, way = null) {
    const { ctx, data, scene } = view;
    const low = view.left - 40, high = view.width + 40, tick = Math.min(4, step * 0.4);
    data.rows.forEach((slot, row2) => {
      const tall = view.box * (isSmall(data.slots[slot]) ? 0.68 : 1);
      const y = view.y[row2];
      for (const box of scene.boxes[row2]) {
        const seen = scene.place(box);
        const x = view.x(seen.x), wide = Math.max(2.4, seen.width * step);
        if (x + wide / 2 < low || x - wide / 2 > high) continue;
        const bright = !light || light.layers.has(box.layer);
        if (only && !bright) continue;
        ctx.globalAlpha = bright ? 1 : 0.16;
        const colour = taskColour(data.by(box.layer));
        ctx.fillStyle = colour;
        if (box.key < 0) ctx.fillRect(x - tick / 2, y - tall * 0.2, tick, tall * 0.4);
        else if (wide < 7) ctx.fillRect(x - wide / 2, y - tall / 2, wide, tall);
        else {
          ctx.beginPath();
          ctx.roundRect(x - wide / 2, y - tall / 2, wide, tall, Math.min(tall * 0.32, wide / 2));
          ctx.fill();
          stripes(view, box, x, y, wide, tall);
          if (way && bright && way.layers[slot] === box.layer) {
            ctx.strokeStyle = theme.colours.sampled;
            ctx.lineWidth = 2;
            ctx.stroke();
          }
        }
        if (wide > 30 && tall > 12 && box.users.length > 1) boxText(view, box, x, y, wide, colour);
      }
    });
    ctx.globalAlpha = 1;
  }
  function stripes({ ctx, data }, box, x, y, wide, tall) {
    const makers = data.layers.together[box.layer], room = Math.min(makers.length, Math.floor(wide / STRIPE));
    if (room < 2) return;
    ctx.save();
    ctx.clip();
    for (let n = 0; n < room; n++) {
      ctx.fillStyle = taskColour(makers[Math.floor(n * makers.length / room)]);
      ctx.fillRect(x - wide / 2 + n * wide / room, y - tall / 2, wide / room + 0.5, tall);
    }
    ctx.restore();
  }
  function boxText(view, box, x, y, wide, colour) {
    const { ctx, data } = view;
    const tasks2 = `${box.users.length} tasks`;
    const makers = data.makers(box.layer);
    const key2 = `${box.layer} ${box.users.length} ${Math.round(wide)}`;
    let text = view.boxTexts.get(key2);
    ctx.font = `500 11px ${theme.sans}`;
    if (text === void 0) {
      const by = makers.length > 1 ? "together" : makers[0] === ROOT ? "root" : data.taskName(makers[0]);
      const full = `${by} · ${tasks2}`;
      text = [full, tasks2, String(box.users.length)].find((t) => ctx.measureText(t).width < wide - 12) ?? "";
      view.boxTexts.set(key2, text);
    }
    if (makers.length > 1 && text) {
      const room = ctx.measureText(text).width + 8;
      ctx.fillStyle = theme.colours.panel;
      ctx.fillRect(x - room / 2, y - 7, room, 14);
      ctx.fillStyle = theme.colours.ink;
    } else ctx.fillStyle = colour.startsWith("#") ? inkOn(colour) : theme.colours.ink;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText(text, x, y + 0.5);
  }
  function drawLit(view, light, step) {
    const { ctx } = view;
    ctx.lineWidth = lineWidth(view, step) + (light.tasks.size < 4 ? 1 : 0);
    for (const task of light.tasks) {
      if (state.growth.paths[task] < 0) continue;
      ctx.beginPath();
      trace(view, task);
      ctx.strokeStyle = taskColour(task);
      ctx.stroke();
    }
    if (light.tasks.size) drawBoxes(view, light, step, true);
  }
  function wayPoints(view, model) {
    const { data, scene } = view, column = data.column[model.task], points2 = (
      /** @type {{ x: number, y: number, own: boolean }[]} */
      []
    );
    data.rows.forEach((slot, row2) => {
      const layer = model.layers[slot];
      if (layer < 0 && !model.own.has(slot)) return;
      const there = layer >= 0 ? scene.find(layer, model.task) : void 0;
      points2.push({ x: view.x(there ? there.x : column), y: view.y[row2], own: !there });
    });
    return points2;
  }
  function drawWay(view, model) {
    const { ctx, data } = view, column = data.column[model.task];
    const points2 = wayPoints(view, model).map(({ x: x2, y }) => [x2, y]);
    const x = view.x(column);
    const way = [[x, view.foot], ...points2, [x, view.top - 12]];
    for (const { colour, wide, dash } of [
      { colour: theme.colours.panel, wide: 5.5, dash: [] },
      { colour: theme.colours.sampled, wide: 2.2, dash: [6, 4] }
    ]) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = wide;
      ctx.setLineDash(dash);
      ctx.beginPath();
      way.forEach(([px, py], n) => {
        if (!n) return ctx.moveTo(px, py);
        const [lx, ly] = way[n - 1];
        return ctx.bezierCurveTo(lx, (ly + py) / 2, px, (ly + py) / 2, px, py);
      });
      ctx.stroke();
    }
    ctx.setLineDash([]);
  }
  function drawOwn(view, model) {
    const { ctx } = view;
    for (const { x, y, own: own2 } of wayPoints(view, model)) {
      if (!own2) continue;
      ctx.beginPath();
      ctx.arc(x, y, Math.max(3, view.box * 0.28), 0, 2 * Math.PI);
      ctx.fillStyle = taskColour(model.task);
      ctx.fill();
      ctx.lineWidth = 1.8;
      ctx.strokeStyle = theme.colours.sampled;
      ctx.stroke();
    }
  }

  // page/network/pointing.js
  function listen(view) {
    const { canvas } = view;
    const fingers = /* @__PURE__ */ new Map();
    let pressed = null;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    canvas.addEventListener("pointerdown", (event) => {
      fingers.set(event.pointerId, place(event));
      pressed = { at: place(event), pan: view.pan, moved: false, apart: apart(fingers) };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = place(event);
      if (!pressed) return point(view, x, y, event);
      fingers.set(event.pointerId, [x, y]);
      if (fingers.size === 2) {
        const now = apart(fingers);
        const middle = [...fingers.values()].reduce((sum, [fx]) => sum + fx / 2, 0);
        if (pressed.apart > 8) view.zoomBy(now / pressed.apart, middle);
        pressed.apart = now;
        pressed.moved = true;
        return void 0;
      }
      if (Math.abs(x - pressed.at[0]) > 4) pressed.moved = true;
      if (pressed.moved) {
        canvas.classList.add("drag");
        tip.hide();
        view.pan = pressed.pan - (x - pressed.at[0]);
        view.clamp();
        view.ask();
      }
      return void 0;
    });
    const release = (event) => {
      fingers.delete(event.pointerId);
      if (pressed && !pressed.moved && event.type === "pointerup") choose(hit(view, ...place(event)));
      pressed = null;
      canvas.classList.remove("drag");
    };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("pointerleave", () => {
      if (!pressed) {
        hover(null);
        tip.hide();
      }
    });
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (event.ctrlKey) {
          event.preventDefault();
          view.zoomBy(Math.exp(-event.deltaY / 150), place(event)[0]);
        } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) && view.zoom > 1) {
          event.preventDefault();
          view.pan += event.deltaX;
          view.clamp();
          view.ask();
        }
      },
      { passive: false }
    );
    canvas.addEventListener("keydown", (event) => key(view, event));
  }
  function point(view, x, y, event) {
    const found = hit(view, x, y);
    view.canvas.classList.toggle("over", Boolean(found));
    hover(found);
    if (!found) return tip.hide();
    const told2 = describe(view.data, state.growth, found);
    return tip.show(event.clientX, event.clientY, told2.title, told2.lines);
  }
  function key(view, event) {
    const { data } = view;
    const at = state.chosen;
    const grown = data.order.filter((task2) => state.growth.paths[task2] >= 0);
    const task = at?.kind === "task" ? at.task : view.keyTask;
    const place = task === void 0 ? -1 : grown.indexOf(task);
    const layers = task === void 0 ? null : state.growth.layers(task);
    const slots = layers ? data.rows.filter((slot) => layers[slot] >= 0) : [];
    const row2 = at?.kind === "layer" ? slots.indexOf(data.layers.slot[at.layer]) : -1;
    const pick = (wanted) => {
      state.chosen = null;
      choose(wanted);
    };
    const pickTask = (task2) => pick({ kind: "task", task: view.keyTask = task2 });
    const pickLayer = (row3) => layers && pick({ kind: "layer", layer: layers[slots[row3]] });
    const acts = {
      ArrowRight: () => pickTask(grown[Math.min(grown.length - 1, place + 1)]),
      ArrowLeft: () => pickTask(grown[Math.max(0, place - 1)]),
      ArrowUp: () => slots.length && pickLayer(Math.min(slots.length - 1, row2 + 1)),
      ArrowDown: () => row2 > 0 && pickLayer(row2 - 1),
      Escape: () => pick(null),
      "+": () => view.zoomBy(1.6),
      "=": () => view.zoomBy(1.6),
      "-": () => view.zoomBy(1 / 1.6),
      0: () => view.fit()
    };
    if (!acts[event.key] || event.ctrlKey || event.metaKey || !grown.length) return;
    event.preventDefault();
    event.stopPropagation();
    acts[event.key]();
    if (view.keyTask !== void 0) view.reveal(view.keyTask);
  }
  function hit(view, x, y) {
    if (!view.data || x < view.left - 4) return null;
    const column = Math.round((x - view.left - view.inset + view.pan) / (view.pitch * view.zoom) - 0.5);
    if (y > view.foot || y < view.y[view.y.length - 1] - view.box) {
      const task = view.data.order[column];
      return task === void 0 ? null : { kind: "task", task };
    }
    const step = view.pitch * view.zoom;
    for (let row2 = 0; row2 < view.y.length; row2++) {
      if (Math.abs(y - view.y[row2]) > view.box * 0.7) continue;
      for (const box of view.scene.boxes[row2]) {
        if (Math.abs(x - view.x(box.x)) <= Math.max(box.width * step / 2, 4))
          return { kind: "layer", layer: box.layer };
      }
    }
    return nearestLine(view, x, y);
  }
  function nearestLine(view, x, y) {
    let best = null;
    let distance = 7;
    const above = view.y.findIndex((row2) => row2 < y);
    for (const task of view.data.order) {
      if (state.growth.paths[task] < 0) continue;
      const column = view.data.column[task];
      const low = above > 0 ? view.scene.ports[above - 1][task] : above === 0 ? column : view.scene.ports[view.y.length - 1][task];
      const high = above >= 0 ? view.scene.ports[above][task] : column;
      const from = above > 0 ? view.y[above - 1] - view.box / 2 : above === 0 ? view.foot : view.y[view.y.length - 1];
      const to = above >= 0 ? view.y[above] + view.box / 2 : view.top - 8;
      const t = Math.max(0, Math.min(1, (from - y) / (from - to || 1)));
      const eased = t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * t) ** 3 / 2;
      const off = Math.abs(x - view.x(low + (high - low) * eased));
      if (off < distance) {
        distance = off;
        best = { kind: "task", task };
      }
    }
    return best;
  }
  var apart = (fingers) => {
    const [a, b] = [...fingers.values()];
    return b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 0;
  };

  // page/network/rows.js
  var PORT = 0.3;
  var PAD = 0.21;
  var GAP = 0.18;
  var boxWidth = (users) => 2 * PAD + PORT * Math.max(0, users - 1);
  function spread(wanted, widths, columns) {
    const offsets = [];
    const groups = [];
    let left = 0;
    for (const width of widths) {
      offsets.push(left + width / 2);
      left += width + GAP;
    }
    const room = Math.max(0, columns - (left - GAP));
    for (let n = 0; n < wanted.length; n++) {
      let mean = wanted[n] - offsets[n], members = 1;
      for (let last = groups.at(-1); last && last[0] > mean; last = groups.at(-1)) {
        const [other, others2] = last;
        groups.pop();
        mean = (mean * members + other * others2) / (members + others2);
        members += others2;
      }
      groups.push([mean, members]);
    }
    const centres = [];
    for (const [mean, members] of groups) {
      const start2 = Math.min(Math.max(mean, -0.5), -0.5 + room);
      for (let n = 0; n < members; n++) centres.push(start2 + offsets[centres.length]);
    }
    return centres;
  }
  var PASSES = -1e9;
  function placeRow(data, paths, slot, ports, apart2) {
    const holders = /* @__PURE__ */ new Map(), boxes = (
      /** @type {Box[]} */
      []
    );
    for (const task of data.order) {
      const layer = paths(task)?.[slot] ?? -1;
      ports[task] = PASSES;
      if (layer < 0) continue;
      const key2 = apart2 && data.by(layer) === ROOT ? -1 - (slot * data.tasks.length + task) : layer;
      const found = holders.get(key2);
      if (found) {
        found.users.push(task);
        continue;
      }
      const box = { key: key2, layer, users: [task], x: 0, width: 0, at: 0 };
      holders.set(key2, box);
      boxes.push(box);
    }
    for (const box of boxes) {
      let sum = 0;
      for (const task of box.users) sum += data.column[task];
      box.at = sum / box.users.length;
      box.width = boxWidth(box.users.length);
    }
    boxes.sort((a, b) => a.at - b.at || data.column[a.users[0]] - data.column[b.users[0]]);
    const centres = spread(
      boxes.map((box) => box.at),
      boxes.map((box) => box.width),
      data.tasks.length
    );
    boxes.forEach((box, n) => {
      box.x = centres[n];
      box.users.forEach((task, place) => {
        ports[task] = box.x + PORT * (place - (box.users.length - 1) / 2);
      });
    });
    return boxes;
  }

  // page/network/scene.js
  var Scene = class {
    /** Whether boxes and lines are on their way. */
    moving = false;
    /** Whether each user of a layer of the root has a box of its own. */
    apart = false;
    /**
     * @param {Data} data
     * @param {Growth} growth
     * @param {boolean} [apart]
     */
    constructor(data, growth, apart2 = false) {
      this.data = data;
      this.apart = apart2;
      this.growth = growth;
      this.ports = data.rows.map(() => new Float32Array(data.tasks.length));
      this.goals = data.rows.map(() => new Float32Array(data.tasks.length));
      this.boxes = data.rows.map(() => (
        /** @type {Box[]} */
        []
      ));
      this.shown = /* @__PURE__ */ new Map();
      this.alive = new Uint8Array(data.tasks.length);
      this.meets = data.rows.map(() => new Uint8Array(data.tasks.length));
      this.arrange(false);
    }
    /**
     * Everything for the present paths; with `glide` it moves there over some frames.
     * @param {boolean} glide
     */
    arrange(glide) {
      const { data, growth } = this;
      const paths = (task) => growth.layers(task);
      const shown = /* @__PURE__ */ new Map();
      data.rows.forEach((slot, row2) => {
        const goals = this.goals[row2];
        this.boxes[row2] = placeRow(data, paths, slot, goals, this.apart);
        for (const box of this.boxes[row2]) {
          const was = glide ? this.shown.get(box.key) : void 0;
          const born = glide && !was ? { x: data.column[box.users[0]], width: box.width } : { x: box.x, width: box.width };
          shown.set(box.key, was || born);
        }
      });
      this.pass();
      data.rows.forEach((_, row2) => {
        const goals = this.goals[row2], ports = this.ports[row2];
        for (const task of data.order) {
          if (!glide) ports[task] = goals[task];
          else if (!this.alive[task]) ports[task] = data.column[task];
        }
      });
      this.shown = shown;
      for (const task of data.order) this.alive[task] = growth.paths[task] >= 0 ? 1 : 0;
      this.moving = glide;
    }
    /**
     * Where a box is drawn.
     * @param {Box} box
     */
    place(box) {
      return this.shown.get(box.key) ?? box;
    }
    /**
     * Where in the picture a model of a task finds a layer; undefined where it is not there.
     * @param {number} layer
     * @param {number} task
     */
    find(layer, task) {
      if (this.apart && this.data.by(layer) === ROOT) return { x: this.data.column[task] };
      return this.shown.get(layer);
    }
    /* Where a task has no layer its line goes straight on from the row below to the next row where it has one. */
    pass() {
      const { data, goals, meets } = this, rows = data.rows.length;
      for (const task of data.order) {
        let last = -1;
        for (let row2 = 0; row2 <= rows; row2++) {
          if (row2 < rows) {
            meets[row2][task] = goals[row2][task] === PASSES ? 0 : 1;
            if (!meets[row2][task]) continue;
          }
          const low = last < 0 ? data.column[task] : goals[last][task];
          const high = row2 === rows ? data.column[task] : goals[row2][task];
          for (let at = last + 1; at < row2; at++) goals[at][task] = low + (high - low) * (at - last) / (row2 - last);
          last = row2;
        }
      }
    }
    /**
     * One step of the glide; false when all is in its place.
     * @param {number} part
     */
    glide(part) {
      if (!this.moving) return false;
      let furthest = 0;
      this.boxes.forEach((boxes, row2) => {
        for (const box of boxes) {
          const seen = this.place(box);
          seen.x += (box.x - seen.x) * part;
          seen.width += (box.width - seen.width) * part;
        }
        const ports = this.ports[row2], goals = this.goals[row2];
        for (let task = 0; task < ports.length; task++) {
          const way = goals[task] - ports[task];
          ports[task] += way * part;
          if (this.alive[task]) furthest = Math.max(furthest, Math.abs(way));
        }
      });
      if (furthest < 4e-3) {
        this.moving = false;
        this.boxes.forEach((boxes, row2) => {
          for (const box of boxes) this.shown.set(box.key, { x: box.x, width: box.width });
          this.ports[row2].set(this.goals[row2]);
        });
      }
      return true;
    }
  };

  // page/network/view.js
  var MANY = 16;
  var NetworkView = class {
    /** @type {Data} */
    data;
    /** @type {Scene} */
    scene;
    /** @type {Map<string, string[]>} lines of names as they fit, until the size changes */
    labels = /* @__PURE__ */ new Map();
    /** @type {Map<string, string>} the same for texts in boxes */
    boxTexts = /* @__PURE__ */ new Map();
    zoom = 1;
    pan = 0;
    /** @type {boolean | undefined} whether layers of the root stand apart, in each column: as the reader chose, or many do */
    apart;
    /** Whether it draws fewer pixels, while it plays. */
    coarse = false;
    ratio = 1;
    width = 0;
    height = 0;
    /** @type {number[]} the middle of each row, from the lowest on */
    y = [];
    left = 0;
    right = 16;
    top = 0;
    /** Where lines begin, upright. */
    foot = 0;
    /** Between the middles of two columns, without zoom. */
    pitch = 0;
    /** Left of the first column and right of the last. */
    inset = 0;
    /** Height of a box. */
    box = 0;
    /** Of the letters of names. */
    size = 12;
    /** Whether names stand level. */
    level = true;
    nameRoom = 0;
    footRoom = 0;
    headRoom = 0;
    /** The request of the next frame, or 0. */
    asked = 0;
    /** @type {number | undefined} time of the frame before, while it moves */
    last;
    /** @type {number | undefined} the task that the keys reached last */
    keyTask;
    /** @param {HTMLElement} host */
    constructor(host) {
      this.canvas = h("canvas", {
        class: "network",
        tabindex: "0",
        role: "application",
        "aria-roledescription": "network diagram",
        "aria-keyshortcuts": "ArrowLeft ArrowRight ArrowUp ArrowDown Escape Plus Minus 0"
      });
      this.now = h("p", { class: "now" });
      const button = (text, label, act) => h("button", { type: "button", "aria-label": label, title: label, onclick: act }, text);
      this.root = button("Root", "Gather the lines of all who use a layer of the root", () => this.gather());
      const zoom = h(
        "div",
        { class: "zoom" },
        button("−", "Zoom out", () => this.zoomBy(1 / 1.6)),
        button("+", "Zoom in", () => this.zoomBy(1.6)),
        button("Fit", "Show all tasks", () => this.fit()),
        this.root
      );
      this.nothing = h("p", { class: "nothing" });
      this.zoomers = zoom;
      host.append(h("div", { class: "above" }, this.now, zoom), this.canvas, this.nothing);
      this.ctx = pen(this.canvas);
      listen(this);
      new ResizeObserver(() => this.resize()).observe(host);
    }
    /**
     * @param {Data} data
     * @param {Growth} growth
     */
    set(data, growth) {
      this.data = data;
      this.apart ??= data.tasks.length > MANY;
      this.scene = new Scene(data, growth, this.apart);
      this.root.setAttribute("aria-pressed", String(!this.apart));
      this.labels.clear();
      this.boxTexts.clear();
      const grown = data.tasks.filter((task) => task.model).length;
      const empty = !data.moments.step.length && data.retained.every((path) => path < 0);
      for (const part of [this.canvas, this.zoomers]) part.hidden = empty;
      this.nothing.hidden = !empty;
      if (empty) clear(this.nothing).append(...beginning(data));
      this.canvas.setAttribute(
        "aria-label",
        `The network of ${counted(data.tasks.length, "task")}, ${grown} of them with a model. Left and right choose a task, up and down a layer of it, plus and minus zoom. What is chosen is described beside it.`
      );
      this.resize();
    }
    resize() {
      const width = roomFor(this.canvas);
      if (!width || !this.data) return;
      const { data } = this;
      this.ratio = this.coarse ? 1 : sharpness();
      this.width = width;
      this.left = width < 600 ? 78 : 104;
      const columns = Math.max(1, data.tasks.length);
      this.pitch = Math.min(150, (width - this.left - this.right) / columns);
      this.inset = (width - this.left - this.right - this.pitch * columns) / 2;
      this.measure();
      const sizes = data.rows.map((slot) => isSmall(data.slots[slot]) ? 0.62 : 1);
      const total = sizes.reduce((a, b) => a + b, 0) || 1;
      const unit = Math.max(15, Math.min(width < 600 ? 46 : 54, (width < 600 ? 400 : 470) / total));
      const plot = total * unit;
      this.top = this.headRoom + 20 + (data.families.length ? FAMILY_ROOM : 0);
      this.foot = this.top + plot + 16;
      this.height = Math.round(this.foot + this.footRoom + 8);
      this.box = Math.min(21, unit * 0.46);
      let y = this.top + plot;
      this.y = sizes.map((size) => {
        y -= size * unit;
        return y + size * unit / 2;
      });
      this.canvas.style.height = `${this.height}px`;
      this.canvas.width = Math.round(width * this.ratio);
      this.canvas.height = Math.round(this.height * this.ratio);
      this.clamp();
      this.ask();
    }
    /* How names and accuracies stand depends on the width of a column: level, slanted or upright. */
    measure() {
      const step = this.pitch * this.zoom;
      this.size = Math.max(8.5, Math.min(13, step < 16 ? step - 1 : 12.5));
      this.ctx.font = `600 ${this.size}px ${theme.sans}`;
      this.level = step > 60 && this.data.tasks.every((task) => folded(this.ctx, task.name, step - 8).every((line3) => !line3.includes("…")));
      const longest = Math.max(20, ...this.data.tasks.map((task) => this.ctx.measureText(task.name).width));
      const room = this.width < 600 ? 110 : 150;
      this.nameRoom = this.level ? step - 8 : Math.min(longest + 4, room);
      if (this.zoom === 1) {
        this.footRoom = this.level ? 40 : Math.min(longest, room) * (step > 16 ? 0.72 : 1) + 22;
        this.headRoom = step > 36 ? 26 : 42;
      } else if (!this.level) this.nameRoom = Math.min(this.nameRoom, (this.footRoom - 20) / (step > 16 ? 0.72 : 1));
      this.labels.clear();
      this.boxTexts.clear();
    }
    /** @param {number} column */
    x(column) {
      return this.left + this.inset + (column + 0.5) * this.pitch * this.zoom - this.pan;
    }
    clamp() {
      const whole2 = this.pitch * this.data.tasks.length * this.zoom;
      const room = this.width - this.left - this.right;
      this.pan = Math.max(0, Math.min(this.pan, whole2 - room + 2 * this.inset));
      if (whole2 + 2 * this.inset <= room) this.pan = 0;
    }
    /**
     * @param {number} factor
     * @param {number} at x of what stays where it is
     */
    zoomBy(factor, at = this.left + (this.width - this.left) / 2) {
      const most = Math.max(1, 170 / this.pitch);
      const zoom = Math.max(1, Math.min(most, this.zoom * factor));
      const place = (at - this.left - this.inset + this.pan) / this.zoom;
      this.zoom = zoom;
      this.pan = place * zoom - (at - this.left - this.inset);
      this.clamp();
      this.measure();
      this.ask();
    }
    /* Draws a layer of the root once, where all its lines meet, or apart in each column. */
    gather() {
      this.apart = !this.apart;
      this.scene.apart = this.apart;
      this.scene.arrange(true);
      this.root.setAttribute("aria-pressed", String(!this.apart));
      this.ask();
    }
    fit() {
      this.zoom = 1;
      this.pan = 0;
      this.measure();
      this.ask();
    }
    /**
     * Brings a task into view.
     * @param {number} task
     */
    reveal(task) {
      if (this.zoom === 1) return;
      const x = this.x(this.data.column[task]);
      if (x < this.left + 20 || x > this.width - 40) {
        this.pan += x - (this.left + this.width) / 2;
        this.clamp();
      }
      this.ask();
    }
    ask() {
      if (this.data && matchMedia("print").matches) this.settle();
      if (this.asked) return;
      this.asked = requestAnimationFrame((time) => {
        this.asked = 0;
        this.frame(time);
      });
    }
    /* Draws it now, as it will be: paper waits for no frame. */
    settle() {
      if (this.scene.moving) this.scene.arrange(false);
      drawNetwork(this);
    }
    /** @param {number} time */
    frame(time) {
      if (!this.data) return;
      const passed = Math.min(100, time - (this.last ?? time - 16));
      this.last = time;
      if (this.scene.glide(1 - Math.exp(-passed / 90))) this.ask();
      else this.last = void 0;
      drawNetwork(this);
    }
    /**
     * Fewer pixels while it plays, where a machine would show too few frames else.
     * @param {boolean} coarse
     */
    soften(coarse) {
      if (this.coarse === coarse || this.ratio === 1 && coarse) return;
      this.coarse = coarse;
      this.resize();
    }
    /**
     * After the step changed.
     * @param {boolean} glide
     */
    move(glide) {
      if (state.moved) this.scene.arrange(glide);
      this.ask();
    }
  };
  function beginning(data) {
    const root = data.layersOf(0);
    const layers = root ? [...root].filter((layer) => layer >= 0) : [];
    const size = layers.reduce((sum, layer) => sum + (data.layers.parameters[layer] || 0), 0);
    return [
      "So far there is the root, ",
      bdi(data.root.source),
      layers.length ? `: ${counted(layers.length, "layer")}, ${count(size)} parameters.` : ".",
      data.tasks.length ? [" Waiting: ", listed(data.tasks.map((task) => bdi(task.name))), "."] : ""
    ].flat(2);
  }

  // page/time/paint.js
  function paintScores(panel, ctx, alpha) {
    const { data } = panel;
    const radius = data.count > 4e3 ? 1.1 : data.count > 800 ? 1.7 : 2.4;
    for (let step = 0; step < data.count; step++) {
      if (!known(data.score[step])) continue;
      ctx.globalAlpha = alpha * (data.state[step] ? 0.9 : 0.42);
      ctx.fillStyle = ctx.strokeStyle = taskColour(data.task[step]);
      ctx.beginPath();
      ctx.arc(panel.x(step), panel.y(data.score[step]), radius, 0, 2 * Math.PI);
      if (data.state[step] || data.count > 4e3) ctx.fill();
      else {
        ctx.lineWidth = 0.9;
        ctx.stroke();
      }
    }
    ctx.globalAlpha = alpha;
    const last = /* @__PURE__ */ new Map();
    data.moments.step.forEach((step, n) => {
      const task = data.moments.task[n];
      last.set(task, [...last.get(task) ?? [], step]);
    });
    for (const [task, steps] of last) {
      ctx.strokeStyle = taskColour(task);
      ctx.lineWidth = data.tasks.length > 40 ? 1 : 1.8;
      ctx.globalAlpha = alpha * (data.tasks.length > 40 ? 0.6 : 1);
      ctx.beginPath();
      steps.forEach((step, n) => {
        if (!known(data.score[step])) return;
        const x = panel.x(step), y = panel.y(data.score[step]);
        if (n) ctx.lineTo(x, panel.y(data.score[steps[n - 1]]));
        if (n) ctx.lineTo(x, y);
        else ctx.moveTo(x, y);
      });
      const end = steps[steps.length - 1];
      if (known(data.score[end])) ctx.lineTo(panel.x(data.count - 1), panel.y(data.score[end]));
      ctx.stroke();
    }
  }
  function paintTree(panel, ctx, alpha) {
    const { data } = panel;
    const link = (step, width) => {
      const parent = data.parent[step];
      if (parent < 0 || !known(data.score[step]) || !known(data.score[parent])) return;
      ctx.strokeStyle = taskColour(data.task[step]);
      ctx.lineWidth = width;
      ctx.beginPath();
      ctx.moveTo(panel.x(parent), panel.y(data.score[parent]));
      ctx.lineTo(panel.x(step), panel.y(data.score[step]));
      ctx.stroke();
    };
    ctx.globalAlpha = alpha * (data.count > 4e3 ? 0.12 : data.count > 800 ? 0.25 : 0.4);
    for (let step = 0; step < data.count; step++) link(step, 0.8);
    ctx.globalAlpha = alpha;
    for (const end of data.retainedStep) {
      for (const step of end >= 0 ? data.chain(end) : []) {
        link(step, data.tasks.length > 40 ? 1 : 1.8);
        if (!known(data.score[step])) continue;
        const x = panel.x(step), y = panel.y(data.score[step]), arm = data.tasks.length > 40 ? 1.6 : 4;
        ctx.strokeStyle = theme.colours.ink;
        ctx.lineWidth = data.tasks.length > 40 ? 0.7 : 1.2;
        ctx.beginPath();
        ctx.moveTo(x - arm, y);
        ctx.lineTo(x + arm, y);
        ctx.moveTo(x, y - arm);
        ctx.lineTo(x, y + arm);
        ctx.stroke();
      }
    }
  }
  function paintStrip(canvas, data, left) {
    const width = roomFor(canvas), ratio = sharpness();
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(7 * ratio);
    const ctx = pen(canvas);
    ctx.scale(ratio, ratio);
    const per = (width - left - 12) / Math.max(1, data.count);
    for (let step = 0; step < data.count; ) {
      const task = data.task[step], from = step;
      while (step < data.count && data.task[step] === task) step += 1;
      ctx.fillStyle = taskColour(task);
      ctx.fillRect(left + from * per, 1, Math.max(0.5, (step - from) * per - (per * (step - from) > 6 ? 1 : 0)), 5);
    }
  }

  // page/time/panel.js
  var TimePanel = class {
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
      const low = scores[Math.floor(scores.length * 0.02)] ?? 0, high = scores[scores.length - 1] ?? 1;
      const stretched = (scores[scores.length >> 1] ?? 0) > 0.82 && high <= 1 && low >= 0;
      this.note.textContent = stretched ? "; the axis is stretched towards 1" : "";
      this.bent = stretched ? (v) => -Math.log10(1.012 - Math.min(1, v)) : (v) => v;
      const span = Math.max(0.02, this.bent(high) - this.bent(low));
      this.low = this.bent(low) - 0.05 * span;
      this.high = this.bent(high) + 0.06 * span;
      this.ticks = stretched ? apartFrom([1, 0.9, 0.5, 0.99, 0, 0.95, 0.8, 0.98, 0.7], (v) => this.y(v), 8, this.tall - 4, 15) : ticks(this.low, this.high, 3);
    }
    /** @param {number} step */
    x(step) {
      return this.left + step / Math.max(1, this.data.count - 1) * (this.width - this.left - 12);
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
      const ctx = pen(this.canvas), { ratio } = this;
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
      const { data } = this, at = focus();
      const step = at?.kind === "model" ? at.step : atEnd() && at?.kind === "task" ? data.retainedStep[at.task] : atEnd() ? -1 : state.step;
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
      const points2 = data.chain(step).filter((s2) => known(data.score[s2]));
      ctx.strokeStyle = theme.colours.sampled;
      ctx.lineWidth = 1.6;
      ctx.beginPath();
      points2.forEach(
        (s2, n) => n ? ctx.lineTo(this.x(s2), this.y(data.score[s2])) : ctx.moveTo(this.x(s2), this.y(data.score[s2]))
      );
      ctx.stroke();
      points2.forEach((s2, n) => {
        ctx.beginPath();
        ctx.arc(this.x(s2), this.y(data.score[s2]), n ? 3 : 4.5, 0, 2 * Math.PI);
        ctx.fillStyle = taskColour(data.task[s2]);
        ctx.fill();
        ctx.stroke();
      });
    }
    /** @param {PointerEvent} event */
    hit(event) {
      const box = this.canvas.getBoundingClientRect();
      const x = event.clientX - box.left, y = event.clientY - box.top, { data } = this;
      let best = -1, nearest = 15 ** 2;
      const per = Math.max(1, data.count - 1) / (this.width - this.left - 12);
      const from = Math.max(0, Math.floor((x - this.left - 15) * per)), to = Math.min(data.count, Math.ceil((x - this.left + 15) * per) + 1);
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
      const told2 = describe(this.data, state.growth, { kind: "model", step });
      return tip.show(event.clientX, event.clientY, told2.title, told2.lines);
    }
  };

  // page/time/transport.js
  var PLAY_SECONDS = 45;
  var SPEEDS = [
    ["0.25", "¼ ×"],
    ["1", "1 ×"],
    ["4", "4 ×"]
  ];
  var Transport = class {
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
        }
      });
      const button = (text, label, act) => h(
        "button",
        {
          type: "button",
          "aria-label": label,
          title: label,
          onclick: () => {
            this.pause();
            act();
          }
        },
        text
      );
      const speed = h(
        "select",
        {
          "aria-label": "Speed",
          onchange: () => {
            this.speed = Number(speed.value);
          }
        },
        SPEEDS.map(([value, text]) => h("option", { value, selected: value === "1" }, text))
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
        this.said
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
      const tick = (time) => {
        if (!state.playing) return;
        this.at += (time - (this.time ?? time)) / 1e3 * this.rate * this.speed;
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
  };
  function stepText(data) {
    const step = state.step;
    const score = known(data.score[step]) ? `, score ${scored(data.score[step])}` : "";
    return `Child ${count(step + 1)} of ${count(data.count)}: ${data.tasks[data.task[step]].name}, ${parentText(data, step)}${score}, ${data.verdict(step)}`;
  }

  // page/growing.js
  var Growing = class {
    /** @type {Data} */
    data;
    /** @type {ReturnType<typeof setTimeout> | 0} until what is written changes again */
    due = 0;
    /** @param {HTMLElement} host */
    constructor(host) {
      const drawing = h("div", { class: "drawing" }), side = h("div", { class: "side" });
      const time = h("div", { class: "controlled" }), panels = h("div", { class: "panels" });
      host.append(h("div", { class: "stage" }, drawing, side, time, panels));
      this.network = new NetworkView(drawing);
      this.side = new Side(side);
      this.transport = new Transport(time);
      this.strip = h("canvas", { class: "strip", "aria-hidden": "true" });
      time.append(h("div", {}, this.strip));
      this.timed = [time, panels];
      const scores = h("div", {}), tree = h("div", {});
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
          paintScores
        ),
        new TimePanel(
          tree,
          "Ancestors",
          "lines join child and parent; a + marks an ancestor of a model that stands at the end",
          150,
          "Tree of ancestors: lines from each child to its parent",
          paintTree
        )
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
      const { now } = this.network, { data } = this;
      const said2 = h("span");
      clear(now).append(said2);
      const grown = [...state.growth.paths].filter((path) => path >= 0).length;
      if (!data.tasks.length) said2.append("No tasks yet.");
      else if (!grown && (atEnd() || !data.count)) said2.append("No task has a model yet.");
      else if (atEnd())
        said2.append(
          h(
            "b",
            {},
            data.tasks.length === grown ? counted(grown, "task") : `${grown} of ${counted(data.tasks.length, "task")}`
          ),
          " as the system stands"
        );
      else {
        const step = state.step;
        now.prepend(h("span", { css: { "margin-right": "9px" } }, swatch(taskColour(data.task[step]))));
        said2.append(
          h("b", {}, bdi(data.tasks[data.task[step]].name)),
          ` ${parentText(data, step)} · ${data.verdict(step)}`
        );
      }
    }
  };
  function layerRows(data) {
    const rows = data.order.flatMap((task) => {
      const layers = data.layersOf(data.retained[task]);
      return layers ? data.rows.filter((slot) => layers[slot] >= 0).map((slot) => {
        const layer = layers[slot];
        const others2 = data.retained.map(
          (path, other) => other !== task && data.layersOf(path)?.[slot] === layer ? data.tasks[other].name : null
        ).filter(Boolean);
        return [
          data.tasks[task].name,
          data.slots[slot],
          data.madeBy(layer, Infinity),
          others2.join(", ") || "nobody",
          count(data.layers.parameters[layer])
        ];
      }) : [];
    });
    return [["task", "slot", "trained by", "shared with", "parameters"], ...rows];
  }
  function childRows(data) {
    const rows = Array.from({ length: data.count }, (_, step) => [
      `child ${step + 1}`,
      data.tasks[data.task[step]]?.name,
      parentText(data, step),
      scored(data.score[step]),
      data.verdict(step),
      data.told(step).join(", ")
    ]);
    return [["child", "task", "parent", "score", "verdict", "what it changed"], ...rows];
  }

  // page/model/growth.js
  var Growth = class {
    /** @param {Data} data */
    constructor(data) {
      this.data = data;
      this.paths = new Int32Array(data.tasks.length).fill(-1);
      this.since = new Int32Array(data.tasks.length).fill(-1);
      this.done = 0;
      this.step = -1;
    }
    /**
     * True where a path is another one than before.
     * @param {number} step
     */
    goto(step) {
      const { moments, count: count2, retained } = this.data;
      if (step === this.step) return false;
      const before = this.paths.slice();
      if (step < this.step) {
        this.paths.fill(-1);
        this.since.fill(-1);
        this.done = 0;
      }
      this.step = step;
      for (; this.done < moments.step.length && moments.step[this.done] <= step; this.done++) {
        this.paths[moments.task[this.done]] = moments.path[this.done];
        this.since[moments.task[this.done]] = moments.sampled[this.done];
      }
      if (step >= count2 - 1)
        retained.forEach((path, task) => {
          if (path >= 0) this.paths[task] = path;
        });
      return this.paths.some((path, task) => path !== before[task]);
    }
    /**
     * Layer in each slot of a task's model; null without one.
     * @param {number} task
     */
    layers(task) {
      return this.data.layersOf(this.paths[task]);
    }
    /** @param {number} task */
    accuracy(task) {
      if (this.paths[task] < 0) return NaN;
      const { count: count2, retained, tasks: tasks2 } = this.data;
      if (this.step >= count2 - 1 && retained[task] >= 0) return tasks2[task].validation_accuracy ?? NaN;
      return this.since[task] >= 0 ? this.data.accuracy[this.since[task]] : NaN;
    }
    /**
     * What a task's model is at this step: its id and parameters; null without one.
     * @param {number} task
     */
    model(task) {
      if (this.paths[task] < 0) return null;
      const { count: count2, retained, tasks: tasks2, children } = this.data;
      if (this.step >= count2 - 1 && retained[task] >= 0)
        return { id: tasks2[task].model, parameters: tasks2[task].parameters };
      const step = this.since[task];
      return step >= 0 ? { id: children.model[step], parameters: children.parameters[step] } : { id: null, parameters: null };
    }
    /**
     * Tasks whose model has a layer at this step, from left to right.
     * @param {number} layer
     */
    users(layer) {
      const slot = this.data.layers.slot[layer];
      return this.data.order.filter((task) => this.layers(task)?.[slot] === layer);
    }
  };

  // page/paper.js
  function readyForPaper(fill15, redraw) {
    const turn = (on2) => {
      document.documentElement.classList.toggle("paper", on2);
      if (on2) fill15();
      redraw();
      repaintCharts();
    };
    addEventListener("beforeprint", () => turn(true));
    addEventListener("afterprint", () => turn(false));
  }

  // page/sections/about.js
  var about = {
    id: "about",
    name: "About",
    title: "About this page",
    how: "What the page was made from, and what it could not show.",
    fill: fill2
  };
  function fill2(data, body) {
    body.append(
      data.notes.length ? h(
        "div",
        { class: "notice", css: { margin: "0 0 24px" } },
        h(
          "ul",
          {},
          data.notes.map((note) => h("li", {}, bdi(note)))
        )
      ) : h("p", {}, "Nothing is missing or damaged.")
    );
    if (data.runs.length) {
      body.append(
        h("h3", { css: { margin: "22px 0 10px" } }, "Runs"),
        h(
          "div",
          { class: "scroll", tabindex: "0", role: "region", "aria-label": "Runs" },
          h(
            "table",
            { class: "plain" },
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                ["run", "method", "seed", "children", "time", "device", "started", "finished"].map(
                  (text) => h("th", { scope: "col" }, text)
                )
              )
            ),
            h(
              "tbody",
              {},
              data.runs.map(
                (run) => h(
                  "tr",
                  {},
                  h("th", { scope: "row" }, run.run),
                  [
                    run.method,
                    run.seed,
                    count(run.children),
                    duration(run.seconds),
                    run.device,
                    when(run.started),
                    when(run.finished)
                  ].map((text) => h("td", {}, String(text ?? NOTHING)))
                )
              )
            )
          )
        )
      );
    }
    body.append(
      h("h3", { css: { margin: "28px 0 10px" } }, "Keys"),
      h(
        "p",
        { class: "small" },
        "At the network: space plays and pauses, the arrows go one child back or on (ten with Shift). In the drawing of the network, once it has the focus, left and right choose a task, up and down a layer, + and − zoom, 0 shows all, Escape clears."
      ),
      h(
        "p",
        { class: "small" },
        "Root ",
        bdi(data.root?.source ?? NOTHING),
        data.root?.model ? [" (", h("code", {}, data.root.model), ")"] : null,
        `. Made by munet ${data.made.munet}; the page needs no network.`
      )
    );
  }
  var when = (text) => text ? text.slice(0, 16).replace("T", " ") : NOTHING;

  // page/charts/some.js
  var unfolded = /* @__PURE__ */ new Set();
  function some(name, items, most, make, box) {
    const first = unfolded.has(name) ? items.length : most;
    items.slice(0, first).forEach((item) => box.append(make(item)));
    const left = items.length - first;
    if (left <= 0) return box;
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
          }
        },
        `Show all ${count(items.length)} ${name}`
      ),
      h("span", { class: "printed" }, `and ${count(left)} more, which the page shows on a screen`)
    );
    return h("div", {}, box, more);
  }

  // page/charts/bars.js
  function bars({ rows, parts: parts2, text, label }) {
    const said2 = (row2) => row2.note ?? text(row2.values.reduce((a, b) => a + b, 0));
    const most = Math.max(...rows.map((row2) => row2.values.reduce((a, b) => a + b, 0)), 1e-12);
    const wide = Math.max(...rows.map((row2) => widthOf(said2(row2), 13.5)));
    const list = h("ul", {
      class: "bars",
      "aria-label": `${label} by task`,
      css: { "--value": `${Math.ceil(wide) + 2}px` }
    });
    const make = (row2) => {
      const sum = row2.values.reduce((a, b) => a + b, 0);
      const bar = h("span", { class: "track", css: { width: `${100 * sum / most}%` } });
      row2.values.forEach((value, n) => {
        if (value <= 0) return;
        const piece = h("i", { colour: parts2[n].colour ?? taskColour(row2.task), css: { flex: `${value} 0 0` } });
        bar.append(
          mark(piece, row2.name, [`${parts2[n].name}: ${text(value)}`, parts2.length > 1 ? `of ${text(sum)}` : ""])
        );
      });
      return h(
        "li",
        {},
        named(taskColour(row2.task), row2.name),
        h("span", { class: "room" }, bar),
        h("span", { class: "value" }, said2(row2))
      );
    };
    return some(`tasks by ${label.toLowerCase()}`, rows, 24, make, list);
  }

  // page/sections/costs.js
  var costs = {
    id: "costs",
    name: "Costs",
    title: "Where time, compute and parameters went",
    how: "One bar a task, longest first. Parameters are counted once, for the task that trained them; the root’s are those that some model still uses.",
    themed: true,
    fill: fill3
  };
  var costShown = null;
  function fill3(data, body) {
    const found = data.costs;
    const kinds = {
      time: {
        label: "Time",
        parts: [
          ["training", "var(--accepted)"],
          ["validation", "var(--no)"],
          ["other", "var(--faint)"]
        ],
        table: found.seconds.map((v, task) => [task, v]),
        text: duration
      },
      flops: {
        label: "FLOPs",
        parts: [
          ["training", "var(--accepted)"],
          ["validation", "var(--no)"]
        ],
        table: found.flops.map((v, task) => [task, v]),
        text: (v) => compact(v)
      },
      parameters: {
        label: "Parameters",
        parts: [["trained by it, in use"]],
        table: found.parameters.map(([task, v]) => [task, [v]]),
        text: (v) => compact(v)
      }
    };
    const box = h("div");
    const show = (name) => {
      costShown = name;
      const kind = kinds[name], parts2 = kind.parts.map(([text, colour]) => ({ name: text, colour }));
      const sum = (values) => values.reduce((a, b) => a + (b || 0), 0);
      const rows = kind.table.filter(([, values]) => sum(values) > 0).sort((a, b) => sum(b[1]) - sum(a[1])).map(([task, values]) => ({
        task,
        name: task === ROOT ? "the root" : data.tasks[task].name,
        values: values.map((v) => v || 0)
      }));
      clear(box);
      if (!rows.length) {
        box.append(h("p", { class: "none" }, "Not recorded."));
        return;
      }
      const sums = parts2.map((_, n) => rows.reduce((total, r) => total + r.values[n], 0));
      box.append(
        parts2.length > 1 ? h(
          "div",
          { class: "controls" },
          h(
            "ul",
            { class: "key" },
            parts2.map(
              (part, n) => h("li", {}, swatch(part.colour ?? ""), `${part.name} `, h("strong", {}, kind.text(sums[n])))
            )
          )
        ) : "",
        bars({ rows, parts: parts2, text: kind.text, label: kind.label }),
        dataTable(`${kind.label} by task`, () => [
          ["task", ...parts2.map((p) => p.name)],
          ...rows.map((r) => [r.name, ...r.values.map((v) => name === "time" ? (v ?? 0).toFixed(1) : count(v))])
        ])
      );
    };
    const first = costShown ?? (found.seconds.flat().some((v) => (v ?? 0) > 0) ? "time" : "parameters");
    body.append(
      h(
        "div",
        { class: "controls" },
        choice(
          "What to show",
          Object.entries(kinds).map(([value, kind]) => [value, kind.label]),
          first,
          show
        )
      ),
      box
    );
    show(first);
  }

  // page/charts/heatmap.js
  var TASKS = {
    order: () => state.data.order,
    name: (task) => state.data.tasks[task].name,
    pick: (task) => choose({ kind: "task", task })
  };
  var Heatmap = class {
    /** @type {[row: number, column: number] | null} the cell under the cursor */
    at = null;
    left = 0;
    top = 0;
    /** Of a cell. */
    size = 0;
    /**
     * @param {object} plan
     * @param {string} plan.label
     * @param {(row: number, column: number) => Cell} plan.cell of two items
     * @param {Items} [plan.items] tasks unless given
     * @param {number} [plan.most] width at most
     * @param {() => (string | number | null)[][]} plan.rows the same as a table
     */
    constructor({ label, cell, items = TASKS, most = 760, rows }) {
      this.cell = cell;
      this.items = items;
      this.most = most;
      this.canvas = h("canvas", {
        tabindex: "0",
        role: "application",
        "aria-roledescription": "matrix",
        "aria-label": `${label}. Arrow keys move over the cells.`
      });
      this.said = h("span", { class: "unseen", "aria-live": "polite" });
      this.paper = h("div", { class: "paper" }, this.canvas, this.said);
      this.box = h("figure", {}, this.paper, dataTable(label, rows));
      new ResizeObserver(() => this.paint()).observe(this.paper);
      charts.add({ box: this.box, paint: () => this.paint() });
      this.canvas.addEventListener("pointermove", (event) => {
        const box = this.canvas.getBoundingClientRect();
        this.move(this.find(event.clientX - box.left, event.clientY - box.top), event);
      });
      this.canvas.addEventListener("pointerleave", () => this.move(null));
      this.canvas.addEventListener("blur", () => this.move(null));
      this.canvas.addEventListener("click", () => {
        if (this.at) items.pick?.(items.order()[this.at[0]]);
      });
      this.canvas.addEventListener("keydown", (event) => this.key(event));
    }
    /** @param {KeyboardEvent} event */
    key(event) {
      const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
      const by = steps[event.key];
      if (!by) return;
      event.preventDefault();
      const last = this.items.order().length - 1;
      const [row2, column] = this.at || [0, -1];
      this.move([Math.max(0, Math.min(last, row2 + by[0])), Math.max(0, Math.min(last, column + by[1]))]);
      this.said.textContent = this.told(this.at ?? [0, 0]).join(", ");
    }
    /** @param {[row: number, column: number]} at */
    told([row2, column]) {
      const { name } = this.items, order = this.items.order();
      return [`${name(order[row2])} × ${name(order[column])}`, this.cell(order[row2], order[column]).told];
    }
    /**
     * @param {number} x
     * @param {number} y
     * @returns {[row: number, column: number] | null}
     */
    find(x, y) {
      const { left, top, size } = this, n = this.items.order().length;
      const row2 = Math.floor((y - top) / size), column = Math.floor((x - left) / size);
      return row2 >= 0 && column >= 0 && row2 < n && column < n ? [row2, column] : null;
    }
    /**
     * @param {[row: number, column: number] | null} at
     * @param {PointerEvent} [event]
     */
    move(at, event) {
      this.at = at;
      this.paint();
      if (!at || !event) return tip.hide();
      const [title, line3] = this.told(at);
      return tip.show(event.clientX, event.clientY, title, [line3]);
    }
    paint() {
      const outer = Math.min(this.paper.clientWidth, this.most);
      if (!outer) return;
      const order = this.items.order(), n = order.length;
      const ctx = pen(this.canvas), ratio = sharpness();
      ctx.font = `12px ${theme.sans}`;
      const longest = Math.max(...order.map((item) => ctx.measureText(this.items.name(item)).width));
      const room = Math.min(longest + 12, outer < 500 ? 104 : 170);
      const slanted = (outer - room) / n >= 26;
      this.left = room;
      const spare = slanted ? Math.min(longest * 0.7, 84) : 4;
      this.size = Math.min(58, (outer - room - spare) / n);
      this.top = slanted ? Math.min(longest * 0.72, 110) + 12 : Math.min(longest, 130) + 12;
      const width = Math.ceil(room + n * this.size + spare), height = Math.ceil(this.top + n * this.size + 2);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
      this.cells(ctx, order);
      this.labels(ctx, order, slanted);
    }
    /**
     * @param {CanvasRenderingContext2D} ctx
     * @param {number[]} order
     */
    cells(ctx, order) {
      const { size, left, top } = this, gap = size > 14 ? 2 : size > 5 ? 0.6 : 0;
      const shades = Array.from({ length: 65 }, (_, n) => heat(n / 64));
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      ctx.font = `${Math.min(13, size * 0.36)}px ${theme.sans}`;
      order.forEach(
        (row2, r) => order.forEach((column, c) => {
          const { value, text } = this.cell(row2, column);
          const shade = value === null ? theme.colours.rule : shades[Math.round(64 * Math.max(0, Math.min(1, value || 0)))];
          ctx.fillStyle = shade;
          ctx.fillRect(left + c * size, top + r * size, size - gap, size - gap);
          if (size > 22 && text) {
            ctx.fillStyle = inkOn(shade);
            ctx.fillText(text, left + (c + 0.5) * size - gap / 2, top + (r + 0.5) * size);
          }
        })
      );
      if (!this.at) return;
      ctx.strokeStyle = theme.colours.ink;
      ctx.lineWidth = 2;
      ctx.strokeRect(left + this.at[1] * size, top + this.at[0] * size, size - gap, size - gap);
    }
    /**
     * @param {CanvasRenderingContext2D} ctx
     * @param {number[]} order
     * @param {boolean} slanted
     */
    labels(ctx, order, slanted) {
      const { size, left, top } = this, { name, named: named3 } = this.items, every = Math.max(1, Math.ceil(11 / size));
      ctx.textBaseline = "middle";
      const measure = (text) => ctx.measureText(text).width;
      let last = -every;
      order.forEach((item, n) => {
        const some2 = named3 ? named3.has(item) && n - last >= every : n % every === 0;
        if (some2) last = n;
        for (const side of [0, 1]) {
          const bold = this.at?.[side] === n;
          if (every > 1 && !some2 && !bold) continue;
          if (every > 1 && this.at && !bold && Math.abs(this.at[side] - n) * size < 12) continue;
          ctx.font = `${bold ? 600 : 400} ${Math.min(12, Math.max(9, size * every))}px ${theme.sans}`;
          ctx.fillStyle = bold ? theme.colours.ink : theme.colours.muted;
          const middle = (n + 0.5) * size;
          if (side === 0) {
            ctx.textAlign = "right";
            ctx.fillText(shortened(name(item), left - 10, measure), left - 8, top + middle);
          } else if (slanted)
            turned(
              ctx,
              shortened(name(item), (top - 12) / 0.72, measure),
              left + middle - 2,
              top - 8,
              -Math.PI / 4,
              "left"
            );
          else turned(ctx, shortened(name(item), top - 12, measure), left + middle, top - 7, -Math.PI / 2, "left");
        }
      });
    }
  };

  // page/sections/facts.js
  function origins(data) {
    const sums = { own: 0, others: 0, root: 0 };
    data.retained.forEach((path, task) => {
      for (const layer of data.layersOf(path) || []) {
        if (layer < 0) continue;
        const makers = data.makers(layer);
        sums[makers[0] === ROOT ? "root" : makers.includes(task) ? "own" : "others"] += data.layers.parameters[layer];
      }
    });
    return sums;
  }
  function teachers(data) {
    const found = data.tasks.map((_, task) => ({ task, learners: (
      /** @type {number[]} */
      []
    ), parameters: 0 }));
    data.retained.forEach((path, learner) => {
      for (const layer of data.layersOf(path) || []) {
        if (layer < 0 || data.makers(layer).includes(learner)) continue;
        for (const by of data.makers(layer).filter((task) => task >= 0)) {
          if (!found[by].learners.includes(learner)) found[by].learners.push(learner);
          found[by].parameters += data.layers.parameters[layer];
        }
      }
    });
    return found.filter((one) => one.learners.length).sort((a, b) => b.parameters - a.parameters || b.learners.length - a.learners.length || a.task - b.task);
  }
  var spelled = (n) => n < 13 ? ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"][n] : count(n);
  var inWords = (value) => value >= 1e9 ? `${digits(value / 1e9)} billion` : value >= 1e6 ? `${digits(value / 1e6)} million` : count(value);
  var spentFlops = (data) => data.totals.flops_spent.train + data.totals.flops_spent.validation;

  // page/sections/flow_graph.js
  function flowGraph(data, totals, many) {
    const edges = edgesOf(data, totals), strongest = strongestOf(edges);
    const left = many ? edges.length - strongest.size : 0;
    const graph = graphOf(data, totals, many, edges, strongest);
    if (!left) return graph;
    return h(
      "div",
      {},
      h(
        "p",
        { class: "small", css: { margin: "0 0 10px" } },
        `Only the arrow from each learner’s strongest teacher is drawn: ${count(strongest.size)} of ${counted(edges.length, "arrow")}. Point at a task, or choose one, to see all of its own.`
      ),
      graph
    );
  }
  function edgesOf(data, totals) {
    const edges = [];
    data.flow.forEach(
      (line3, learner) => line3.forEach((number, ancestor) => {
        if (number && ancestor !== learner)
          edges.push({ learner, ancestor, number, share: (number + 0.5 * totals[learner]) / (1.5 * totals[learner]) });
      })
    );
    return edges;
  }
  function strongestOf(edges) {
    const found = /* @__PURE__ */ new Map();
    for (const edge of edges) if (edge.number > (found.get(edge.learner)?.number ?? 0)) found.set(edge.learner, edge);
    return new Set(found.values());
  }
  function graphOf(data, totals, many, edges, strongest) {
    let over = null;
    return chart({
      chosen: true,
      label: "Knowledge flow: arrows from the ancestor’s task to the learner",
      height: (width) => many ? Math.min(width, 640) : Math.round(2 * circleRadius(width) + 78),
      draw: (svg, width, height) => {
        const spot = circlePlaces(data, width, height, many);
        const layer = s("g");
        const paint = () => {
          const at = over ?? (state.chosen?.kind === "task" ? state.chosen.task : null);
          const shown = edges.filter(
            (e) => at !== null ? e.learner === at || e.ancestor === at : !many || strongest.has(e)
          );
          clear(layer).append(...shown.map((edge) => arrow(data, spot, edge, many)));
        };
        svg.append(layer);
        data.order.forEach(
          (task) => svg.append(
            flowNode(data, spot, task, totals, edges, many, (t) => {
              over = t;
              paint();
            })
          )
        );
        paint();
      }
    });
  }
  var circleRadius = (width) => Math.max(60, Math.min(210, width / 2 - Math.min(124, width * 0.25)));
  function circlePlaces(data, width, height, many) {
    const n = data.order.length, narrow = width < 480;
    const margin = narrow ? 20 : 92;
    const radius = many ? Math.max(40, Math.min(width, height) / 2 - margin) : circleRadius(width);
    const angle = (task) => 2 * Math.PI * data.column[task] / n - Math.PI / 2;
    return {
      cx: width / 2,
      cy: height / 2,
      radius,
      angle,
      narrow,
      width,
      at: (task, r = radius) => [
        width / 2 + r * Math.cos(angle(task)),
        height / 2 + r * Math.sin(angle(task))
      ]
    };
  }
  function arrow(data, spot, { learner, ancestor, number, share }, many) {
    const [x0, y0] = spot.at(ancestor, spot.radius - 8), [x1, y1] = spot.at(learner, spot.radius - 8);
    const bend = 0.4, aside = 0.09;
    const mx = (x0 + x1) / 2 * (1 - bend) + spot.cx * bend + (y1 - y0) * aside, my = (y0 + y1) / 2 * (1 - bend) + spot.cy * bend - (x1 - x0) * aside;
    const wide = (many ? 0.6 : 1) * (0.6 + 4.6 * (share - 1 / 3) / (2 / 3));
    const head = 7 + wide * 1.3, length = Math.hypot(x1 - mx, y1 - my) || 1;
    const ux = (x1 - mx) / length, uy = (y1 - my) / length;
    const [bx, by] = [x1 - ux * head, y1 - uy * head];
    const colour = taskColour(ancestor);
    const group = s(
      "g",
      { opacity: 0.85 },
      s("path", {
        d: `M${x0} ${y0}Q${mx} ${my} ${bx} ${by}`,
        fill: "none",
        stroke: colour,
        "stroke-width": wide.toFixed(2)
      }),
      s("path", {
        d: `M${x1} ${y1}L${bx - uy * head * 0.5} ${by + ux * head * 0.5}L${bx + uy * head * 0.5} ${by - ux * head * 0.5}Z`,
        fill: colour
      })
    );
    return mark(group, `${data.tasks[ancestor].name} → ${data.tasks[learner].name}`, [
      `${counted(number, "ancestor")} of the learner’s model`
    ]);
  }
  function flowNode(data, spot, task, totals, edges, many, point2) {
    const [x, y] = spot.at(task), angle = spot.angle(task), right = Math.cos(angle) >= -1e-3;
    const [lx, ly] = spot.at(task, spot.radius + (many ? 9 : 16));
    const name = data.tasks[task].name;
    const group = s(
      "g",
      { css: { cursor: "pointer" } },
      s("circle", { cx: x, cy: y, r: many ? 4 : 8, fill: taskColour(task) })
    );
    const upright = Math.abs(Math.cos(angle)) < 0.3;
    const room = many ? 76 : upright ? spot.width * 0.4 : (right ? spot.width - lx : lx) - 2;
    const text = shortened(name, room, (t) => widthOf(t, many ? 9 : 12));
    const every = Math.max(1, Math.ceil(9.5 / (2 * Math.PI * spot.radius / data.order.length)));
    if (many && !spot.narrow && data.column[task] % every === 0) {
      const degrees = angle * 180 / Math.PI + (right ? 0 : 180);
      group.append(
        s(
          "text",
          {
            x: lx,
            y: ly,
            "text-anchor": right ? "start" : "end",
            "dominant-baseline": "middle",
            "font-size": 9,
            transform: `rotate(${degrees.toFixed(1)} ${lx} ${ly})`
          },
          text
        )
      );
    } else if (!many) {
      group.append(
        s(
          "text",
          {
            x: lx,
            y: upright ? ly + (Math.sin(angle) > 0 ? 12 : -4) : ly + 4,
            "text-anchor": upright ? "middle" : right ? "start" : "end"
          },
          text
        )
      );
    }
    const own2 = data.flow[task][task];
    mark(group, name, [
      `descends from ${counted(edges.filter((e) => e.learner === task).length, "other task")}`,
      `${counted(edges.filter((e) => e.ancestor === task).length, "other task")} below it`,
      totals[task] ? `${percent(own2 / totals[task], 0)} % of its ancestors are its own` : ""
    ]);
    group.addEventListener("pointerenter", () => point2(task));
    group.addEventListener("pointerleave", () => point2(null));
    group.addEventListener("click", () => choose({ kind: "task", task }));
    return group;
  }

  // page/sections/flow.js
  var flow = {
    id: "flow",
    name: "Knowledge flow",
    title: "Who learned from whom",
    how: "Going up from a task’s model, each ancestor counts for the task that trained it. An arrow runs from the ancestor’s task to the learner, in the colour of the ancestor; the matrix has a learner in each row.",
    fill: fill4
  };
  function fill4(data, body) {
    const all = data.flow.flat().reduce((a, b) => a + b, 0);
    if (!all) {
      body.append(
        h("p", { class: "none" }, "No model has an ancestor yet other than the root, or the history is not recorded.")
      );
      return;
    }
    const totals = data.flow.map((line3) => line3.reduce((a, b) => a + b, 0));
    const name = (task) => data.tasks[task].name;
    const many = data.tasks.length > 30;
    const graph = flowGraph(data, totals, many);
    const matrix = new Heatmap({
      label: "Share of each ancestor task among the ancestors of a task’s model",
      cell: (learner, ancestor) => {
        const number = data.flow[learner][ancestor], share = totals[learner] ? number / totals[learner] : 0;
        return {
          value: totals[learner] ? share : null,
          text: totals[learner] ? percent(share, 0) : "",
          told: totals[learner] ? `${counted(number, "ancestor")} of ${totals[learner]}, ${percent(share, 0)} %` : "no ancestors but the root"
        };
      },
      most: many ? 1180 : 570,
      rows: () => [
        ["learner", ...data.order.map((t) => `from ${name(t)}`)],
        ...data.order.map((a) => [name(a), ...data.order.map((b) => data.flow[a][b])])
      ]
    }).box;
    const heading = (text) => h("h3", { css: { margin: "0 0 10px" } }, text);
    const pictures = [
      h("div", {}, heading("Graph"), graph),
      h("div", {}, heading("Matrix: share of ancestors, in percent"), matrix)
    ];
    const list = h(
      "div",
      {},
      heading("Teachers, by the parameters that others use, a layer counted once for each user"),
      teacherList(data)
    );
    body.append(
      many ? h("div", { class: "stack" }, h("div", { class: "two" }, pictures[0], list), pictures[1]) : h("div", { class: "stack" }, h("div", { class: "two" }, pictures), list)
    );
  }
  function teacherList(data) {
    const found = teachers(data);
    if (!found.length) return h("p", { class: "none" }, "No task’s model uses layers that another task trained.");
    const list = h("ul", { class: "flows columns" });
    return some(
      "teachers",
      found,
      12,
      ({ task, learners, parameters }) => h(
        "li",
        {},
        h(
          "span",
          {},
          swatch(taskColour(task)),
          " ",
          h("strong", {}, bdi(data.tasks[task].name)),
          " taught ",
          learners.length > 6 ? [
            listed(learners.slice(0, 5).map((t) => bdi(data.tasks[t].name))),
            ` and ${learners.length - 5} more`
          ].flat() : listed(learners.map((t) => bdi(data.tasks[t].name)))
        ),
        h("span", { class: "value" }, `${compact(parameters)} parameters`)
      ),
      list
    );
  }

  // page/task/pictures.js
  var picture = (address, text) => h("img", { src: address, alt: text, width: 64, height: 64, decoding: "async" });
  function samples(seen, isPrivate) {
    if (!seen.samples.length)
      return h(
        "p",
        { class: "none" },
        isPrivate ? ["The task is private: only ", h("code", {}, "munet report --private-images"), " shows its images."] : "This page was made without thumbnails."
      );
    const byClass = /* @__PURE__ */ new Map();
    for (const one of seen.samples) byClass.set(one[0], [...byClass.get(one[0]) ?? [], one]);
    const there = seen.test.by_class[0].filter((images2) => images2).length;
    const which = byClass.size < there ? `of the ${count(byClass.size)} of ${counted(there, "class")} with the lowest accuracy` : "of each class";
    return h(
      "div",
      {},
      h("h2", {}, "Its images"),
      h("p", { class: "how" }, `The first test images ${which}.`),
      h(
        "div",
        { class: "samples" },
        [...byClass].map(
          ([label, images2]) => h(
            "figure",
            {},
            h(
              "div",
              {},
              images2.map(([, image, address]) => picture(address, `test image ${image} of class ${seen.classes[label]}`))
            ),
            h("figcaption", { class: "small" }, bdi(seen.classes[label]))
          )
        )
      )
    );
  }
  function errors(seen, split2) {
    const { errors: listed2, examples, correct } = seen[split2];
    const wrong = examples - correct;
    const title = h("h2", {}, "What is wrong");
    if (!wrong) return h("div", {}, title, h("p", { class: "how" }, `Nothing: all ${split2} images are answered right.`));
    const shown = listed2.filter(([, , , , , address]) => address);
    const said2 = `${counted(wrong, `${split2} image`)} of ${count(examples)} ${wrong === 1 ? "is" : "are"} answered wrongly. ` + (shown.length ? `${shown.length < wrong ? `The ${count(shown.length)} worst` : "They are shown"}: those whose right class the model finds least likely first. An odd label often stands among them.` : "The worst are those whose right class the model finds least likely.");
    const items = (shown.length ? shown : listed2.slice(0, 12)).map(
      ([image, label, answer, confidence, ofRight, address]) => h(
        "li",
        {},
        address ? picture(address, `${split2} image ${image}`) : null,
        h(
          "div",
          {},
          "answered ",
          h("b", {}, bdi(seen.classes[answer])),
          `, ${percent(confidence, 0)} %`,
          h("br"),
          h(
            "span",
            { class: "small" },
            "is ",
            bdi(seen.classes[label]),
            `, ${percent(ofRight, ofRight < 0.01 ? 1 : 0)} %`
          ),
          h("br"),
          h("span", { class: "small" }, `${split2} ${image}`)
        )
      )
    );
    return h("div", {}, title, h("p", { class: "how" }, said2), h("ul", { class: "errors" }, items));
  }

  // page/sections/images.js
  var FEW = 5;
  var images = {
    id: "images",
    name: "Images",
    title: "What it sees, and what it gets wrong",
    how: "A few test images of each task, and how many are answered wrongly. Each task has a page with its images, the worst errors, what is taken for what, every class, and how sure its model is.",
    themed: true,
    fill: fill5
  };
  function fill5(data, body) {
    const tasks2 = data.order.filter((task) => data.tasks[task].model);
    if (!tasks2.length) {
      body.append(h("p", { class: "none" }, "No task has a model yet."));
      return;
    }
    if (tasks2.every((task) => !data.images[task])) {
      body.append(
        h("p", { class: "none" }, "The images were left out of this page: munet report without --no-images has them.")
      );
      return;
    }
    const list = h("ul", { class: "tasks" });
    body.append(some("tasks with their images", tasks2, 24, (task) => entry(data, task), list));
  }
  function entry(data, number) {
    const task = data.tasks[number], seen = data.seen(number);
    const wrong = seen ? seen.test.examples - seen.test.correct : 0;
    return h(
      "li",
      {},
      h("span", { class: "named" }, swatch(taskColour(number)), h("a", { href: addressOf(task) }, bdi(task.name))),
      seen?.samples.length ? h(
        "div",
        { class: "strip-of-images" },
        firsts(seen).map(
          ([label, image, address]) => picture(address, `test image ${image} of class ${seen.classes[label]}`)
        )
      ) : null,
      h(
        "span",
        { class: "small" },
        seen ? `${percent(seen.test.correct / seen.test.examples, 1)} % right, ${count(wrong)} of ${count(seen.test.examples)} wrong${task.private && !seen.samples.length ? "; its images are private" : ""}` : `not shown: ${data.missing(number)}`
      )
    );
  }
  function firsts(seen) {
    const classes2 = /* @__PURE__ */ new Set();
    const one = seen.samples.filter(([label]) => !classes2.has(label) && classes2.add(label));
    return (one.length < FEW ? seen.samples : one).slice(0, FEW);
  }

  // page/charts/axes.js
  function axes(svg, width, height, { left = 40, right = 10, top = 8, bottom = 24, x, y }) {
    const toX = (v) => left + (v - x.low) / (x.high - x.low || 1) * (width - left - right);
    const toY = (v) => height - bottom - (v - y.low) / (y.high - y.low || 1) * (height - top - bottom);
    for (const [v, text] of told(y)) {
      svg.append(
        s("line", { class: "gridline", x1: left, x2: width - right, y1: toY(v), y2: toY(v) }),
        s("text", { x: left - 8, y: toY(v) + 4, "text-anchor": "end" }, text)
      );
    }
    let last = -Infinity;
    for (const [v, text] of told(x)) {
      const half = widthOf(text) / 2;
      const at = Math.min(width - half, Math.max(half, toX(v)));
      if (at - half < last + 6) continue;
      last = at + half;
      svg.append(s("text", { x: at, y: height - 6, "text-anchor": "middle" }, text));
    }
    svg.append(s("line", { class: "axis", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom }));
    return { x: toX, y: toY };
  }
  function told({ ticks: ticks2, text }) {
    const said2 = /* @__PURE__ */ new Set();
    return ticks2.flatMap((value) => {
      const word = text(value);
      if (said2.has(word)) return [];
      said2.add(word);
      return [
        /** @type {[number, string]} */
        [value, word]
      ];
    });
  }
  var pathOf = (points2) => points2.map(([x, y], n) => `${n ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

  // page/sections/kept.js
  var kept = {
    id: "kept",
    name: "Kept",
    title: "Nothing is forgotten",
    how: "Test accuracy of each task from the task iteration that first retained a model of it. A dot is a task iteration of its own; between them its model stays the same to the bit, whatever others learn: the id names all of its weights. Names that find no room are left out; a dot tells its own, and the table has all.",
    fill: fill6
  };
  var LINE = 15;
  function fill6(data, body) {
    const lines = data.tasks.map((_, task) => points(data, task)), there = data.order.filter((task) => lines[task].length);
    if (!there.length) {
      body.append(h("p", { class: "none" }, "No task iteration with a test accuracy has ended yet."));
      return;
    }
    const last = data.progress.length, first = last > 1 ? 1 : 0;
    const values = there.flatMap((task) => lines[task].map(({ accuracy }) => accuracy));
    const low = Math.max(0, Math.min(...values) - 0.04), high = Math.min(1, Math.max(...values) + 0.02);
    const longest = Math.max(...there.map((task) => widthOf(data.tasks[task].name)));
    const words = said(data, lines, there);
    body.append(
      ...words ? [h("p", {}, words)] : [],
      chart({
        title: "Test accuracy, %",
        note: counted(data.progress.length, "task iteration"),
        height: (width) => width < 600 ? 260 : Math.min(460, 240 + 6 * there.length),
        label: "Test accuracy of each task over task iterations",
        draw: (svg, width, height) => {
          const right = Math.min(longest + 16, width < 600 ? 96 : 180);
          const { x, y } = axes(svg, width, height, {
            right,
            x: {
              low: first,
              high: last,
              ticks: [1, ...ticks(first, last, 8).filter((v) => v > 1 && Number.isInteger(v))],
              text: String
            },
            y: { low, high, ticks: ticks(low, high, 5), text: (v) => String(+(100 * v).toFixed(1)) }
          });
          for (const task of there) svg.append(...line(data, task, lines[task], last, x, y));
          const ends = there.map((task) => ({ task, at: y(lines[task][lines[task].length - 1].accuracy) }));
          svg.append(...named2(data, ends, height, width - right, right - 14));
        },
        rows: () => [
          ["task", "task iteration", "validation %", "test %", "model"],
          ...data.progress.map((row2, n) => [
            data.tasks[row2.task]?.name ?? NOTHING,
            n + 1,
            percent(row2.validation_accuracy),
            percent(row2.test_accuracy),
            row2.model ?? NOTHING
          ])
        ]
      })
    );
  }
  function points(data, task) {
    const found = data.progress.flatMap(
      (row2, n) => row2.task === task && known(row2.test_accuracy) ? [{ place: n + 1, model: row2.model, accuracy: row2.test_accuracy }] : []
    );
    const { model, test_accuracy } = data.tasks[task];
    if (found.length && model && known(test_accuracy) && found[found.length - 1].model !== model)
      found.push({ place: data.progress.length, model, accuracy: test_accuracy });
    return found;
  }
  function line(data, task, at, last, x, y) {
    const colour = taskColour(task);
    const steps = at.map(({ place, accuracy }, n) => `${n ? "H" : "M"}${x(place)}${n ? "V" : " "}${y(accuracy)}`);
    const look = { fill: "none", stroke: colour, "stroke-width": data.tasks.length > 30 ? 1 : 1.8 };
    const dots = at.map(
      ({ place, model, accuracy }, n) => mark(
        s("circle", { cx: x(place), cy: y(accuracy), r: data.progress.length > 150 ? 2 : 3.5, fill: colour }),
        data.tasks[task].name,
        [
          `${percent(accuracy)} % after task iteration ${count(place)}`,
          model === at[n - 1]?.model ? `still model ${model}` : `model ${model ?? NOTHING}`
        ]
      )
    );
    return [s("path", { d: `${steps.join("")}H${x(last)}`, ...look }), ...dots];
  }
  function named2(data, ends, height, x, room) {
    const low = 9, high = height - 24;
    const fits = ends.length * LINE <= high - low;
    const shown = fits ? ends : apartFrom(ends, (end) => end.at, 0, height, LINE);
    const places = fits ? movedApart(
      ends.map((end) => end.at),
      low,
      high,
      LINE
    ) : shown.map((end) => end.at);
    return shown.flatMap(({ task, at }, n) => {
      const fill15 = taskColour(task);
      const name = shortened(data.tasks[task].name, room, widthOf);
      const text = s("text", { x: x + 12, y: places[n] + 4, css: { fill: fill15 } }, name);
      if (Math.abs(places[n] - at) < 1) return [text];
      return [s("line", { x1: x, y1: at, x2: x + 10, y2: places[n], stroke: fill15, "stroke-width": 1 }), text];
    });
  }
  function said(data, lines, there) {
    const others2 = there.filter((task) => lines[task][lines[task].length - 1].place < data.progress.length).length;
    const apart2 = there.flatMap((task) => {
      const test = data.seen(task)?.test;
      const off = test ? difference(test.correct / test.examples, data.tasks[task].test_accuracy) : NaN;
      return known(off) ? [Math.abs(off)] : [];
    });
    const same2 = apart2.filter((off) => off < 1e-9).length;
    const waited = others2 ? `${counted(others2, "task")} ${others2 === 1 ? "was" : "were"} kept while others went on learning. ` : "";
    if (!apart2.length) return waited;
    return `${waited}Measured again for this page, ${same2} of ${counted(apart2.length, "task")} ${same2 === 1 ? "has" : "have"} to the image the test accuracy of when ${same2 === 1 ? "it was" : "they were"} retained` + (same2 < apart2.length ? `; the others are up to ${percent(Math.max(...apart2))} points off, as another device or number format makes them.` : ".");
  }

  // page/sections/learning.js
  var learning = {
    id: "learning",
    name: "Learning",
    title: "Learning curves",
    how: "Validation accuracy after each training cycle, along the model’s ancestors of its own task. The cross is the selected cycle, the ring its test accuracy; the dotted line between them is the gap.",
    fill: fill7
  };
  function fill7(data, body) {
    if (!data.learning.length) {
      body.append(h("p", { class: "none" }, "No accuracies of training cycles are recorded."));
      return;
    }
    const range = rangeOf(data);
    const grid = h("div", { class: "grid", css: { "--least": "235px", "--phone": "148px" } });
    body.append(
      some("learning curves", data.learning, 24, (one) => curve(data, one, range), grid),
      dataTable("Learning curves", () => [
        ["task", "cycle", "validation accuracy", "test accuracy"],
        ...data.learning.flatMap(
          (one) => one.accuracies.map((value, n) => [
            data.tasks[one.task].name,
            n + 1,
            percent(value),
            n === one.selected ? percent(one.test_accuracy) : ""
          ])
        )
      ])
    );
  }
  function rangeOf(data) {
    const all = data.learning.flatMap((one) => [...one.accuracies, one.test_accuracy].filter(known));
    const low = Math.min(...all), high = Math.max(...all), spare = Math.max(5e-3, (high - low) * 0.08);
    return { low: Math.max(-2e-3, low - spare), high: Math.min(1.002, high + spare) };
  }
  function curve(data, { task, accuracies, starts, selected, test_accuracy: test }, range) {
    const last = accuracies.length;
    const place = selected ?? last - 1, chosen = accuracies[place];
    return chart({
      title: named(taskColour(task), data.tasks[task].name),
      note: known(test) && known(chosen) ? `gap ${gapText(chosen, test)}` : "",
      label: `Learning curve of ${data.tasks[task].name}: ${counted(last, "validation")}, selected at ${percent(chosen, 1)} %${known(test) ? `, test ${percent(test, 1)} %` : ""}`,
      height: 128,
      draw: (svg, width, height) => {
        const scale = axes(svg, width, height, {
          left: 36,
          right: 12,
          bottom: 22,
          x: {
            low: 1,
            high: Math.max(2, last),
            ticks: [1, last].filter((v, n, a) => a.indexOf(v) === n),
            text: (v) => v === last ? counted(v, "cycle") : String(v)
          },
          y: { ...range, ticks: ticks(range.low, range.high, 3), text: (v) => String(+(100 * v).toFixed(1)) }
        });
        for (const start2 of starts.slice(1))
          svg.append(
            s("line", { class: "gridline", x1: scale.x(start2 + 0.5), x2: scale.x(start2 + 0.5), y1: 8, y2: height - 22 })
          );
        const colour = taskColour(task), end = scale.x(place + 1);
        svg.append(
          s("path", {
            d: pathOf(accuracies.flatMap((v, n) => known(v) ? [[scale.x(n + 1), scale.y(v)]] : [])),
            fill: "none",
            stroke: colour,
            "stroke-width": 1.8
          })
        );
        if (!known(chosen)) return;
        const y = scale.y(chosen);
        if (known(test))
          svg.append(
            s("line", {
              x1: end,
              x2: end,
              y1: y,
              y2: scale.y(test),
              stroke: colour,
              "stroke-width": 1.6,
              "stroke-dasharray": "2 3"
            }),
            mark(
              s("circle", {
                cx: end,
                cy: scale.y(test),
                r: 4,
                fill: theme.colours.ground,
                stroke: colour,
                "stroke-width": 2
              }),
              "test",
              [`${percent(test)} %`]
            )
          );
        svg.append(
          mark(
            s("path", { d: `M${end - 5} ${y}h10M${end} ${y - 5}v10`, stroke: theme.colours.ink, "stroke-width": 2 }),
            "selected cycle",
            [`validation ${percent(chosen)} %`]
          )
        );
      }
    });
  }

  // page/sections/mutations.js
  var mutations = {
    id: "mutations",
    name: "Mutations",
    title: "Learned mutation probabilities",
    how: "Each model learns how often to mutate what. Above, the mean and the range over models by depth, with the least-squares line; below, how many models settled on which probability.",
    fill: fill8
  };
  function fill8(data, body) {
    const found = data.probabilities;
    if (!found || !found.by_depth.length && !found.histograms.length) {
      body.append(
        h(
          "p",
          { class: "none" },
          "The models of this system carry no learned mutation probabilities: its method keeps them fixed."
        )
      );
      return;
    }
    const depth = found.by_depth.filter((one) => one.points.length > 1);
    const range = found.histograms.reduce((most, one) => Math.max(most, ...one.values), 0.02);
    if (depth.length)
      body.append(
        h(
          "div",
          { class: "grid", css: { "--least": "min(100%, 420px)", "margin-bottom": "36px" } },
          depth.map((one) => byDepth(one)),
          depth.length === 1 && depth[0].fit ? inShort(depth[0].kind, depth[0].points, depth[0].fit.slope) : null
        )
      );
    const grid = h("div", { class: "grid", css: { "--least": "210px", "--phone": "148px" } });
    body.append(
      some("mutations", found.histograms, 20, (one) => histogram(one, range), grid),
      dataTable("Learned mutation probabilities", () => [
        ["mutation", "probability", "models"],
        ...found.histograms.flatMap(
          (one) => one.values.map((v, n) => [decision(one.mutation), v, one.counts[n]]).filter(([, , n]) => n)
        )
      ])
    );
  }
  function byDepth({ kind, points: points2, fit }) {
    const blocks = points2.map((p) => p.block), low = Math.min(...blocks), high = Math.max(...blocks);
    const top = Math.max(...points2.map((p) => p.high)) * 1.08 || 0.3;
    return chart({
      title: `${kind}, by depth`,
      note: fit ? `${(100 * fit.slope).toFixed(2).replace("-", "−")} points a block` : "",
      height: 220,
      label: `Mean learned probability of ${kind} at blocks ${low} to ${high}${fit ? `; the line falls by ${(-100 * fit.slope).toFixed(2)} points a block` : ""}`,
      draw: (svg, width, height) => {
        const scale = axes(svg, width, height, {
          left: 44,
          right: 14,
          x: { low: low - 0.4, high: high + 0.4, ticks: blocks, text: (b) => b === low ? `block ${b}` : String(b) },
          y: { low: 0, high: top, ticks: ticks(0, top, 4), text: (v) => `${+(100 * v).toFixed(1)} %` }
        });
        if (fit)
          svg.append(
            s("line", {
              x1: scale.x(low),
              x2: scale.x(high),
              y1: scale.y(fit.intercept + fit.slope * low),
              y2: scale.y(fit.intercept + fit.slope * high),
              stroke: "var(--no)",
              "stroke-width": 2
            })
          );
        for (const p of points2) {
          svg.append(
            s("line", {
              x1: scale.x(p.block),
              x2: scale.x(p.block),
              y1: scale.y(p.low),
              y2: scale.y(p.high),
              stroke: "var(--accepted)",
              "stroke-width": 2,
              opacity: 0.35
            })
          );
          svg.append(
            mark(
              s("circle", {
                cx: scale.x(p.block),
                cy: scale.y(p.mean),
                r: points2.length > 16 ? 4 : 5,
                fill: "var(--accepted)"
              }),
              `${kind}, block ${p.block}`,
              [
                `mean ${percent(p.mean, 1)} %, from ${percent(p.low, 0)} to ${percent(p.high, 0)} %`,
                counted(p.count, "model")
              ]
            )
          );
        }
      }
    });
  }
  function inShort(kind, points2, slope) {
    const first = points2[0], last = points2[points2.length - 1], change = 100 * slope, [verb, noun] = kind.split(" ");
    return h(
      "p",
      { css: { "align-self": "center", "max-width": "44ch", margin: "0" } },
      `On average the models ${verb} ${noun} ${first.block} with a probability of ${percent(first.mean, 1)} %, and ${noun} ${last.block} with ${percent(last.mean, 1)} %. `,
      Math.abs(change) < 5e-3 ? "Depth makes no difference." : `Along the line it ${change < 0 ? "falls" : "rises"} by ${Math.abs(change).toFixed(2)} points with each block towards the head.`
    );
  }
  var decision = (name) => readable(name.replace("hyperparameter:", "").replaceAll(":", " "));
  function histogram({ mutation, values, counts }, range) {
    const most = Math.max(...counts, 1), all = counts.reduce((a, b) => a + b, 0);
    const mean = values.reduce((sum, v, n) => sum + v * counts[n], 0) / (all || 1);
    return chart({
      title: decision(mutation),
      note: `mean ${percent(mean, 0)} %`,
      height: 88,
      label: `${decision(mutation)}: mean learned probability ${percent(mean, 1)} % over ${counted(all, "model")}`,
      draw: (svg, width, height) => {
        const floor = height - 20, steps = Math.max(1, Math.round(range / 0.02)), per = width / (steps + 1);
        const x = (v) => per / 2 + v / range * (width - per);
        values.forEach((value, n) => {
          if (!counts[n]) return;
          const tall = counts[n] / most * (floor - 6);
          svg.append(
            mark(
              s("rect", {
                x: x(value) - per * 0.43,
                y: floor - tall,
                width: Math.max(2, per * 0.86),
                height: tall,
                fill: "var(--accepted)",
                rx: 1
              }),
              decision(mutation),
              [`probability ${percent(value, 0)} %: ${counted(counts[n], "model")}`]
            )
          );
        });
        svg.append(
          s("line", { class: "axis", x1: 0, x2: width, y1: floor, y2: floor }),
          s("text", { x: 0, y: height - 4 }, "0 %"),
          s("text", { x: width, y: height - 4, "text-anchor": "end" }, `${percent(range, 0)} %`)
        );
      }
    });
  }

  // page/sections/progress.js
  var progress = {
    id: "progress",
    name: "Progress",
    title: "Over task iterations",
    how: "From left to right, one task iteration after the other: how large and how costly the whole system was when it ended. A dot has the colour of the task that was evolved.",
    fill: fill9
  };
  function fill9(data, body) {
    const rows = data.progress;
    if (!rows.length) {
      body.append(
        h("p", { class: "none" }, "No task iteration has ended yet, or the system is older than their records.")
      );
      return;
    }
    const grid = h(
      "div",
      { class: "grid", css: { "--least": "min(100%, 420px)" } },
      overTime(data, "Parameters per task", "parameters_per_task", (v) => compact(v), count),
      overTime(
        data,
        "FLOPs for a prediction",
        "flops_per_task",
        (v) => compact(v),
        (v) => compact(v)
      ),
      overTime(data, "Computing so far", "seconds", duration, duration, timeTicks)
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
          duration(r.seconds)
        ])
      ])
    );
  }
  function overTime(data, title, column, text, full, divide = ticks) {
    const points2 = data.progress.flatMap((r, n) => {
      const value = r[column];
      return known(value) ? [{ place: n + 1, value, r }] : [];
    });
    if (!points2.length)
      return h("figure", {}, h("figcaption", {}, h("h3", {}, title)), h("p", { class: "none" }, "Not recorded."));
    const values = points2.map((one) => one.value), low = Math.min(...values), high = Math.max(...values);
    const spare = Math.max((high - low) * 0.08, Math.abs(high) * 0.02) || 1;
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
            text: String
          },
          y: { ...range, ticks: divide(range.low, range.high, 4), text }
        });
        svg.append(
          s("path", {
            d: pathOf(points2.map(({ place: x, value: y }) => [scale.x(x), scale.y(y)])),
            fill: "none",
            stroke: theme.colours.faint,
            "stroke-width": 1.4
          })
        );
        const radius = number > 150 ? 2 : number > 60 ? 3 : 4;
        for (const { place: x, value: y, r } of points2) {
          svg.append(
            mark(
              s("circle", { cx: scale.x(x), cy: scale.y(y), r: radius, fill: taskColour(r.task) }),
              `Task iteration ${x}: ${data.tasks[r.task]?.name ?? ""}`,
              [full(y), r.tasks ? counted(r.tasks, "task") : ""]
            )
          );
        }
      }
    });
  }

  // page/sections/rejected.js
  var rejected = {
    id: "rejected",
    name: "Rejected",
    title: "Children that were accepted, and those that were not",
    how: "One bar a task, one segment a verdict. “Accepted, best” were better than all models of their task before them.",
    themed: true,
    fill: fill10
  };
  var REASON_COLOURS = ["var(--no)", "var(--odd)", "var(--faint)", "var(--alarm)"];
  function fill10(data, body) {
    if (!data.count) {
      body.append(h("p", { class: "none" }, "No sampled child is recorded."));
      return;
    }
    const { reasons, by_task: table2 } = data.rejected;
    const parts2 = [
      { name: "accepted, best", colour: "var(--best)" },
      { name: "accepted", colour: "var(--accepted)" },
      ...reasons.map((name, n) => ({
        name: `rejected: ${name}`,
        colour: REASON_COLOURS[Math.min(n, REASON_COLOURS.length - 1)]
      }))
    ];
    const sums = parts2.map((_, n) => table2.reduce((sum, line3) => sum + line3[n], 0));
    const rows = data.order.filter((task) => table2[task].some((n) => n)).map((task) => ({
      task,
      name: data.tasks[task].name,
      values: table2[task],
      note: `${percent((table2[task][0] + table2[task][1]) / table2[task].reduce((a, b) => a + b, 0), 0)} % accepted`
    }));
    body.append(
      h(
        "div",
        { class: "controls" },
        h(
          "ul",
          { class: "key" },
          parts2.map((part, n) => h("li", {}, swatch(part.colour), `${part.name} `, h("strong", {}, count(sums[n]))))
        )
      ),
      bars({ rows, parts: parts2, text: count, label: "Verdict" }),
      dataTable("Children by verdict", () => [
        ["task", ...parts2.map((p) => p.name)],
        ...rows.map((r) => [r.name, ...r.values])
      ])
    );
  }

  // page/sections/settings.js
  var settings = {
    id: "settings",
    name: "Hyperparameters",
    title: "Hyperparameters that won",
    how: "Bars count the retained models that use a value; a dot marks the value evolution began with.",
    fill: fill11
  };
  var scheduleShown = null;
  function fill11(data, body) {
    const { distributions, schedules } = data.settings;
    if (!distributions.length) {
      body.append(h("p", { class: "none" }, "No retained model yet has hyperparameters."));
      return;
    }
    const grid = h(
      "div",
      { class: "grid", css: { "--least": "210px", "--phone": "148px" } },
      distributions.map((one) => distribution(one))
    );
    body.append(
      grid,
      dataTable("Values of hyperparameters among the retained models", () => [
        ["hyperparameter", "value", "models"],
        ...distributions.flatMap((d) => d.values.map((v, n) => [readable(d.name), v, d.counts[n]]))
      ])
    );
    const moving = schedules.filter((one) => one.lines.some((line3) => line3.length > 1));
    if (!moving.length) return;
    const box = h("div");
    const show = (name) => {
      scheduleShown = name;
      clear(box).append(schedule(data, moving.find((one) => one.name === name) ?? moving[0]));
    };
    const has = (name) => moving.some((one) => one.name === name);
    const first = scheduleShown && has(scheduleShown) ? scheduleShown : has("learning_rate") ? "learning_rate" : moving[0].name;
    body.append(
      h("h3", { css: { margin: "40px 0 10px" } }, "Schedules along the lineages"),
      h(
        "div",
        { class: "controls" },
        select(
          "Hyperparameter",
          moving.map((one) => [one.name, readable(one.name)]),
          first,
          show
        ),
        h(
          "span",
          {},
          "The values along each model’s lineage: the schedule that evolution found. A line is the lineage of one retained model, in the colour of its task; choose a task to see it alone."
        )
      ),
      box
    );
    show(first);
  }
  function distribution({ name, values, counts, default: start2 }) {
    const most = Math.max(...counts, 1), all = counts.reduce((a, b) => a + b, 0);
    return chart({
      title: readable(name),
      height: 116,
      label: `${readable(name)}: ${values.map((v, n) => counts[n] ? `${v} in ${counts[n]}` : "").filter(Boolean).join(", ")} of ${counted(all, "model")}`,
      draw: (svg, width, height) => {
        const per = width / values.length, wide = Math.min(34, per * 0.72), floor = height - 24;
        const room = Math.max(...values.map((v) => v.length)) * 6.6 + 6, every = Math.max(1, Math.ceil(room / per));
        svg.append(s("line", { class: "axis", x1: 0, x2: width, y1: floor, y2: floor }));
        values.forEach((value, n) => {
          const x = (n + 0.5) * per, tall = counts[n] / most * (floor - 20);
          const best = counts[n] === most;
          if (counts[n])
            svg.append(
              mark(
                s("rect", {
                  x: x - wide / 2,
                  y: floor - tall,
                  width: wide,
                  height: tall,
                  rx: 2,
                  fill: best ? "var(--accepted)" : "color-mix(in srgb, var(--accepted) 48%, var(--ground))"
                }),
                `${readable(name)} ${value}`,
                [`${counted(counts[n], "model")} of ${all}`]
              )
            );
          if (counts[n] && per > 15)
            svg.append(
              s(
                "text",
                { x, y: floor - tall - 5, "text-anchor": "middle", class: best ? "strong" : "" },
                String(counts[n])
              )
            );
          if (n === start2)
            svg.append(
              mark(
                s("circle", { cx: x, cy: floor, r: 4, fill: "var(--no)", stroke: "var(--ground)", "stroke-width": 1.5 }),
                "where evolution began",
                [value]
              )
            );
          if (n % every === 0)
            svg.append(
              s(
                "text",
                {
                  x: Math.max(value.length * 3.3, Math.min(width - value.length * 3.3, x)),
                  y: height - 6,
                  "text-anchor": "middle"
                },
                value
              )
            );
        });
      }
    });
  }
  function schedule(data, { name, values, lines }) {
    return chart({
      chosen: true,
      label: `Schedules of the ${readable(name)} along each lineage`,
      height: 230,
      draw: (svg, width, height) => {
        const used = lines.flat().map(([, v]) => v), bottom = Math.max(0, Math.min(...used) - 1), top = Math.min(values.length - 1, Math.max(...used) + 1);
        const left = Math.min(110, Math.max(...values.map((v) => v.length)) * 7 + 18);
        const steps = lines.flat().map(([step]) => step);
        const high = Math.max(1, data.count - 1, ...steps);
        const scale = axes(svg, width, height, {
          left,
          right: 12,
          x: { low: 0, high, ticks: ticks(0, high, 6), text: (v) => v ? count(v) : "child 0" },
          y: {
            low: bottom - 0.5,
            high: top + 0.5,
            ticks: values.map((_, n) => n).filter((n) => n >= bottom && n <= top),
            text: (n) => values[n]
          }
        });
        const chosen = state.chosen?.kind === "task" ? state.chosen.task : null;
        const shown = lines.map((_, task) => task).filter((task) => lines[task].length);
        const reach = Math.min(0.62, shown.length * 0.06);
        shown.forEach((task, place) => {
          const shift = shown.length > 1 ? (place / (shown.length - 1) - 0.5) * reach : 0;
          const points2 = [];
          lines[task].forEach(([step, v], n) => {
            const x = scale.x(Math.max(0, step));
            if (n) points2.push([x, scale.y(lines[task][n - 1][1] + shift)]);
            points2.push([x, scale.y(v + shift)]);
          });
          const bright = chosen === null || chosen === task;
          const end = points2[points2.length - 1];
          svg.append(
            mark(
              s(
                "g",
                { opacity: bright ? 0.92 : 0.12 },
                s("path", { d: pathOf(points2), fill: "none", stroke: "transparent", "stroke-width": 9 }),
                s("path", {
                  d: pathOf(points2),
                  fill: "none",
                  stroke: taskColour(task),
                  "stroke-width": chosen === task ? 3 : shown.length > 30 ? 1.1 : 1.9
                }),
                s("circle", { cx: end[0], cy: end[1], r: shown.length > 30 ? 2 : 3.5, fill: taskColour(task) })
              ),
              data.tasks[task].name,
              [`${readable(name)}: ${values[lines[task][0][1]]} → ${values[lines[task][lines[task].length - 1][1]]}`]
            )
          );
        });
      },
      rows: () => [
        ["task", "child", readable(name)],
        ...lines.flatMap(
          (line3, task) => line3.map(([step, v]) => [data.tasks[task].name, step < 0 ? "start" : step + 1, values[v]])
        )
      ]
    });
  }

  // page/sections/sharing.js
  var sharing = {
    id: "sharing",
    name: "Sharing",
    title: "Who shares layers",
    how: "A cell counts the layers that the models of two tasks have in common; on the diagonal stand all layers of a model. Blocks along the diagonal are families.",
    fill: fill12
  };
  function fill12(data, body) {
    const ready = data.retained.filter((path) => path >= 0).length;
    if (ready < 2) {
      body.append(
        h(
          "p",
          { class: "none" },
          ready ? "Only one task has a model yet: there is nobody to share with." : "No task has a model yet."
        )
      );
      return;
    }
    const most = Math.max(1, ...data.sharing.map((line3, a) => Math.max(0, ...line3.filter((_, b) => a !== b))));
    const name = (task) => data.tasks[task].name;
    const matrix = new Heatmap({
      label: "Layers that the models of two tasks have in common",
      cell: (a, b) => {
        const shared = data.sharing[a][b];
        return {
          value: a === b ? null : shared / most,
          text: String(shared),
          told: a === b ? `${counted(shared, "layer")} in its model` : `${counted(shared, "layer")} in common`
        };
      },
      most: data.tasks.length > 24 ? 1180 : 640,
      rows: () => [
        ["task", ...data.order.map(name)],
        ...data.order.map((a) => [name(a), ...data.order.map((b) => data.sharing[a][b])])
      ]
    }).box;
    const lists = [alikeList(data), reusedList(data)];
    body.append(
      data.tasks.length > 24 ? h("div", { class: "stack" }, matrix, h("div", { class: "two" }, lists)) : h("div", { class: "matrix" }, matrix, h("div", { class: "stack" }, lists))
    );
  }
  function alikeList(data) {
    const pairs = [];
    data.sharing.forEach(
      (line3, a) => line3.forEach((shared, b) => {
        if (b > a && shared) pairs.push({ a, b, shared });
      })
    );
    pairs.sort((x, y) => y.shared - x.shared || x.a - y.a || x.b - y.b);
    const found = pairs.slice(0, 6);
    return h(
      "div",
      {},
      h("h3", {}, "Most in common"),
      found.length ? h(
        "ul",
        { class: "flows" },
        found.map(
          ({ a, b, shared }) => h(
            "li",
            {},
            h("span", {}, bdi(data.tasks[a].name), " and ", bdi(data.tasks[b].name)),
            h("span", { class: "value" }, counted(shared, "layer"))
          )
        )
      ) : h("p", { class: "small" }, "No two models share a layer.")
    );
  }
  function reusedList(data) {
    const users = /* @__PURE__ */ new Map();
    for (const path of data.retained)
      for (const layer of data.layersOf(path) || []) if (layer >= 0) users.set(layer, (users.get(layer) || 0) + 1);
    const found = [...users].filter(([, n]) => n > 1).sort((x, y) => y[1] - x[1] || x[0] - y[0]).slice(0, 6);
    return found.length ? h(
      "div",
      {},
      h("h3", {}, "Most used layers"),
      h(
        "ul",
        { class: "flows" },
        found.map(
          ([layer, n]) => h(
            "li",
            {},
            h(
              "span",
              {},
              swatch(taskColour(data.by(layer))),
              ` ${data.slots[data.layers.slot[layer]]} `,
              h("span", { class: "small" }, "of ", bdi(data.madeBy(layer)))
            ),
            h("span", { class: "value" }, `${counted(n, "task")} · ${compact(data.layers.parameters[layer])}`)
          )
        )
      )
    ) : null;
  }

  // page/sections/tasks.js
  var tasks = {
    id: "tasks",
    name: "Tasks",
    title: "Tasks",
    how: "One row a task. Accounted parameters are a model’s own share: each layer divided by the tasks that use it. Press a heading to sort, a name to find the task in the network.",
    themed: true,
    fill: fill13
  };
  var COLUMNS = [
    ["validation_accuracy", "val %", (v) => percent(v)],
    ["test_accuracy", "test %", (v) => percent(v)],
    ["gap", "gap", (v) => gapText(v, 0)],
    ["score", "score", scored],
    ["parameters", "parameters", count],
    ["accounted_parameters", "accounted", count],
    [
      "flops",
      "MFLOPs",
      (v) => known(v) ? (v / 1e6).toLocaleString("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 }) : NOTHING
    ],
    ["num_blocks", "blocks", count],
    ["image_size", "px", count],
    ["classes", "classes", count],
    ["train_examples", "images", count],
    ["iterations", "iterations", count]
  ];
  var sorting = { column: null, up: false };
  var valueOf = (task, column) => column === "gap" ? difference(task.validation_accuracy, task.test_accuracy) : task[column];
  function fill13(data, body) {
    if (!data.tasks.length) {
      body.append(h("p", { class: "none" }, "The system has no tasks yet."));
      return;
    }
    const rows = data.tasks.map((task, index) => ({ task, index }));
    const tbody = h("tbody");
    const heads = [
      ["name", "task"],
      ...COLUMNS.map(([column, text]) => (
        /** @type {[Column, string]} */
        [column, text]
      ))
    ];
    const head = h(
      "tr",
      {},
      heads.map(
        ([column, text]) => h(
          "th",
          { scope: "col", "data-column": column },
          h("button", { type: "button", onclick: () => sort(column) }, text)
        )
      )
    );
    const sort = (column) => {
      sorting = { column, up: sorting.column === column ? !sorting.up : column === "name" };
      arrange();
    };
    const arrange = () => {
      const { column, up } = sorting;
      const sorted = column === null ? rows : [...rows].sort((a, b) => {
        if (column === "name") return (up ? 1 : -1) * a.task.name.localeCompare(b.task.name);
        const x = valueOf(a.task, column), y = valueOf(b.task, column);
        if (!known(x) || !known(y)) return Number(known(y)) - Number(known(x));
        return up ? x - y : y - x;
      });
      for (const th of head.children) {
        if (th.getAttribute("data-column") === column) th.setAttribute("aria-sort", up ? "ascending" : "descending");
        else th.removeAttribute("aria-sort");
      }
      clear(tbody).append(...sorted.map((one) => line2(one)));
    };
    arrange();
    body.append(
      h(
        "div",
        {
          class: `scroll ${rows.length > 30 ? "tall" : ""}`,
          tabindex: "0",
          role: "region",
          "aria-label": "Table of tasks"
        },
        h("table", {}, h("caption", { class: "unseen" }, "Tasks and their models"), h("thead", {}, head), tbody)
      )
    );
    body.append(totalsList(data));
  }
  function line2({ task, index }) {
    const go = () => {
      if (!same(state.chosen, { kind: "task", task: index })) choose({ kind: "task", task: index });
      $("#network").scrollIntoView();
    };
    return h(
      "tr",
      {},
      h(
        "th",
        { scope: "row" },
        h(
          "span",
          { class: "named" },
          swatch(taskColour(index)),
          h("button", { type: "button", class: "link", onclick: go, title: task.name }, bdi(task.name))
        ),
        task.by ? h("span", { class: "tag" }, bdi(task.by)) : null,
        task.private ? h("span", { class: "tag" }, "private") : null,
        task.active ? h("span", { class: "tag" }, "evolving") : null
      ),
      COLUMNS.map(([column, , text]) => {
        const shown = text(valueOf(task, column));
        const meter = column === "test_accuracy" && known(task.test_accuracy) ? h(
          "span",
          { class: "meter", "aria-hidden": "true" },
          h("span", { colour: taskColour(index), css: { width: `${100 * task.test_accuracy}%` } })
        ) : null;
        return h("td", {}, meter, shown);
      })
    );
  }
  function totalsList(data) {
    const t = data.totals;
    const all = [
      ["Mean test accuracy", `${percent(t.mean_test_accuracy)} %`],
      ["Mean validation accuracy", `${percent(t.mean_validation_accuracy)} %`],
      ["Unique parameters", count(t.unique_parameters)],
      ["Parameters per task", count(t.parameters_per_task)],
      ["FLOPs for a prediction", compact(t.flops_per_task)],
      ["Children sampled", count(t.children)],
      ["Children accepted", count(t.accepted)],
      ["Images trained on", compact(t.samples)],
      ["Training time", duration(t.train_seconds)],
      ["Validation time", duration(t.validation_seconds)],
      ["FLOPs spent", compact(spentFlops(data))],
      ["Runs", count(t.runs)]
    ];
    return h(
      "dl",
      { class: "totals" },
      all.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text)))
    );
  }

  // page/sections/ways.js
  var RETAINED = "retained";
  var ROW = 22;
  var ways = {
    id: "ways",
    name: "Against",
    title: "Against the alternatives",
    how: "What each task has, beside what else was measured of it: its head alone on layers that it did not train, and, where it was run, fine-tuning of every layer. Parameters are those that were trained for it, of a trunk all. The time of what a task has, here or in another system, is that of all its children; else that of the one child.",
    themed: true,
    fill: fill14
  };
  function fill14(data, body) {
    const tasks2 = data.order.filter((task) => wayOf(data, task, RETAINED));
    const others2 = [...new Set(tasks2.flatMap((task) => data.ways[task].map(({ way }) => way)))].filter(
      (way) => way !== RETAINED
    );
    if (!others2.length) {
      body.append(
        h(
          "p",
          { class: "none" },
          "Nothing but the retained models was measured. ",
          h("code", {}, "munet report --beside SYSTEM"),
          " sets what another system has of the same tasks beside it."
        )
      );
      return;
    }
    body.append(
      h(
        "ul",
        { class: "flows", css: { "margin-bottom": "26px", "max-width": "76ch" } },
        others2.map((way) => gain(data, tasks2, way))
      ),
      chart({
        title: "Validation accuracy, %",
        height: 34 + ROW * tasks2.length,
        label: "Validation accuracy of each task, retained and otherwise",
        draw: (svg, width, height) => draw(data, tasks2, others2, svg, width, height)
      }),
      table(data, tasks2, [...others2, RETAINED])
    );
  }
  var wayOf = (data, task, way) => data.ways[task]?.find((one) => one.way === way);
  function gain(data, tasks2, way) {
    const points2 = tasks2.map(
      (task) => difference(wayOf(data, task, RETAINED)?.validation_accuracy, wayOf(data, task, way)?.validation_accuracy)
    ).filter(known);
    const mean = points2.reduce((a, b) => a + b, 0) / points2.length;
    const more = points2.filter((gained) => gained > 1e-9).length, less = points2.filter((gained) => gained < -1e-9).length;
    return h(
      "li",
      {},
      h(
        "span",
        {},
        "beside ",
        bdi(way),
        `, ${counted(points2.length, "task")}: ${more} better, ${less} worse, ${points2.length - more - less} the same`
      ),
      h("span", { class: "value" }, `${mean < -5e-5 ? "−" : "+"}${percent(Math.abs(mean))} points on average`)
    );
  }
  function draw(data, tasks2, others2, svg, width, height) {
    const values = tasks2.flatMap((task) => data.ways[task].map((way) => way.validation_accuracy)).filter(known);
    const low = Math.max(0, Math.min(...values) - 0.02), high = Math.min(1, Math.max(...values) + 0.02);
    const longest = Math.max(...tasks2.map((task) => widthOf(data.tasks[task].name)));
    const left = Math.min(longest + 14, width < 600 ? 110 : 220);
    const { x } = axes(svg, width, height, {
      left,
      x: { low, high, ticks: ticks(low, high, 6), text: (v) => String(+(100 * v).toFixed(1)) },
      y: { low: 0, high: 1, ticks: [], text: String }
    });
    tasks2.forEach((task, n) => {
      const y = 8 + ROW * (n + 0.5), { name } = data.tasks[task];
      const mine = data.ways[task].filter((way) => known(way.validation_accuracy));
      const at = mine.map((way) => x(way.validation_accuracy ?? 0));
      svg.append(
        s("text", { x: left - 10, y: y + 4, "text-anchor": "end" }, shortened(name, left - 12, widthOf)),
        s("line", {
          x1: Math.min(...at),
          x2: Math.max(...at),
          y1: y,
          y2: y,
          stroke: theme.colours.root,
          "stroke-width": 2
        })
      );
      const order = [...mine].sort((a, b) => Number(a.way === RETAINED) - Number(b.way === RETAINED));
      for (const way of order)
        svg.append(
          mark(shape(others2.indexOf(way.way), x(way.validation_accuracy ?? 0), y, taskColour(task)), name, [
            `${way.way}: ${percent(way.validation_accuracy)} % validation`,
            `${compact(way.trained)} parameters trained in ${duration(way.seconds)}`
          ])
        );
    });
  }
  function shape(kind, x, y, colour) {
    const open = { fill: theme.colours.panel, stroke: colour, "stroke-width": 1.8 };
    if (kind < 0) return s("circle", { cx: x, cy: y, r: 5, fill: colour });
    if (kind === 0) return s("circle", { cx: x, cy: y, r: 5, ...open });
    return s("rect", {
      x: x - 4.5,
      y: y - 4.5,
      width: 9,
      height: 9,
      ...open,
      transform: `rotate(${45 * (kind - 1)} ${x} ${y})`
    });
  }
  function table(data, tasks2, names) {
    const svg = (n) => s("svg", { viewBox: "-7 -7 14 14", class: "sign", "aria-hidden": "true" }, shape(n, 0, 0, theme.colours.muted));
    const cells = (way) => [
      h("td", {}, way ? percent(way.validation_accuracy) : NOTHING),
      h("td", {}, way ? percent(way.test_accuracy) : NOTHING),
      h("td", {}, way ? compact(way.trained) : NOTHING),
      h("td", {}, way ? duration(way.seconds) : NOTHING)
    ];
    const groups = names.map(
      (name, n) => h(
        "th",
        { scope: "colgroup", colspan: 4 },
        svg(name === RETAINED ? -1 : n),
        name === RETAINED ? "what it has" : bdi(name)
      )
    );
    return h(
      "div",
      {
        class: "scroll tall",
        tabindex: "0",
        role: "region",
        "aria-label": "Each task against the alternatives",
        css: { "margin-top": "18px" }
      },
      h(
        "table",
        { class: "grouped" },
        h("caption", { class: "unseen" }, "Each task against the alternatives"),
        h(
          "thead",
          {},
          h("tr", {}, h("th", { scope: "col" }), groups),
          h(
            "tr",
            {},
            h("th", { scope: "col" }, "task"),
            names.map(() => ["val %", "test %", "trained", "time"].map((text) => h("th", { scope: "col" }, text)))
          )
        ),
        h(
          "tbody",
          {},
          tasks2.map(
            (task) => h(
              "tr",
              {},
              h("th", { scope: "row" }, named(taskColour(task), data.tasks[task].name)),
              names.map((name) => cells(wayOf(data, task, name)))
            )
          )
        )
      )
    );
  }

  // page/sections.js
  var SECTIONS = [
    tasks,
    images,
    sharing,
    flow,
    kept,
    ways,
    progress,
    learning,
    settings,
    mutations,
    rejected,
    costs,
    about
  ];

  // page/sections/summary.js
  function headline(data) {
    const { evolved_tasks: grown, tasks: tasks2, unique_parameters: size } = data.totals;
    if (!tasks2) return "A system without tasks";
    if (!grown) return tasks2 === 1 ? "One task, not evolved yet" : `${spelled(tasks2)} tasks, none evolved yet`;
    const who = grown === 1 ? "One task" : `${spelled(grown)} tasks`;
    return `${who} in one network of ${inWords(size)} parameters`;
  }
  function summary(data, body) {
    document.querySelectorAll("[data-headline]").forEach((node) => {
      node.textContent = headline(data);
    });
    document.querySelectorAll("[data-title]").forEach((node) => {
      node.textContent = data.title;
    });
    if (data.totals.evolved_tasks) body.append(h("div", { class: "trio" }, learned(data), fromWhom(data), cost(data)));
    else
      body.append(
        h(
          "p",
          { class: "none", css: { "margin-top": "24px" } },
          data.tasks.length ? [h("code", {}, "munet evolve"), " gives each task a model; then this page shows who shares which layers."] : [h("code", {}, "munet add"), " brings the first task."]
        )
      );
    if (data.notes.length) body.append(notices(data.notes));
  }
  function notices(notes) {
    const title = notes.length === 1 ? "One thing is missing here" : `${spelled(notes.length)} things are missing here`;
    return h(
      "details",
      { class: "notice", open: notes.length < 4 },
      h("summary", {}, title),
      h(
        "ul",
        {},
        notes.map((note) => h("li", {}, bdi(note)))
      )
    );
  }
  function learned(data) {
    const { totals } = data;
    const tested = data.tasks.filter((task) => known(task.test_accuracy)).sort((a, b) => difference(b.test_accuracy, a.test_accuracy));
    const strong = (task) => [
      h("strong", {}, bdi(task.name)),
      ` (${percent(task.test_accuracy, 1)} %)`
    ];
    const value = known(totals.mean_test_accuracy) ? totals.mean_test_accuracy : totals.mean_validation_accuracy;
    const gap = difference(totals.mean_validation_accuracy, totals.mean_test_accuracy);
    return h(
      "div",
      {},
      h("h3", {}, "What it learned"),
      h("p", { class: "figure" }, percent(value, 1), h("small", {}, " %")),
      h("p", { class: "what" }, `mean ${known(totals.mean_test_accuracy) ? "test" : "validation"} accuracy`),
      tested.length > 1 ? h("p", {}, "From ", strong(tested[0]), " to ", strong(tested[tested.length - 1]), ".") : null,
      known(gap) ? h(
        "p",
        {},
        Math.abs(gap) < 5e-4 ? "Test and validation accuracy agree." : `On images it never saw, it is ${percent(Math.abs(gap), 1)} points ${gap > 0 ? "below" : "above"} its validation accuracy.`
      ) : null,
      totals.evolved_tasks < totals.tasks ? h("p", {}, `${counted(totals.tasks - totals.evolved_tasks, "task")} not evolved yet.`) : null
    );
  }
  function fromWhom(data) {
    const sums = origins(data), all = sums.own + sums.others + sums.root;
    const parts2 = [
      ["own", "own", "var(--accent)"],
      ["others", "other tasks", "var(--no)"],
      ["root", "the root", "var(--root)"]
    ];
    const best = teachers(data).slice(0, 2);
    return h(
      "div",
      {},
      h("h3", {}, "From whom"),
      h("p", { class: "figure" }, all ? portion(1 - sums.own / all) : NOTHING, h("small", {}, " %")),
      h(
        "p",
        { class: "what" },
        sums.others ? "of the parameters a model uses were trained by others" : "of the parameters a model uses are as the root has them"
      ),
      h(
        "div",
        {
          class: "parts",
          role: "img",
          "aria-label": parts2.map(([name, text]) => `${text} ${portion(sums[name] / all)} %`).join(", ")
        },
        parts2.map(([name, , colour]) => sums[name] ? h("span", { colour, css: { flex: `${sums[name]} 0 0` } }) : null)
      ),
      h(
        "ul",
        { class: "key" },
        parts2.map(
          ([name, text, colour]) => h("li", {}, swatch(colour), `${text} ${all ? portion(sums[name] / all) : 0} %`)
        )
      ),
      best.length ? h(
        "p",
        {},
        listed(best.map((one) => h("strong", {}, bdi(data.tasks[one.task].name)))),
        " taught most: ",
        listed(best.map((one) => `${compact(one.parameters)} parameters to ${counted(one.learners.length, "task")}`)),
        ", a layer counted once for each user."
      ) : h("p", {}, "No task’s model uses layers that another task trained.")
    );
  }
  function cost(data) {
    const { totals } = data;
    const { seconds } = totals;
    const alone = data.tasks.reduce((sum, task) => sum + (task.parameters || 0), 0);
    const saved = alone ? 1 - totals.unique_parameters / alone : NaN;
    const [value, unit] = (known(seconds) && seconds ? duration(seconds) : `${compact(totals.parameters_per_task)}`).split(" ");
    return h(
      "div",
      {},
      h("h3", {}, "At what cost"),
      h("p", { class: "figure" }, value, h("small", {}, ` ${unit ?? ""}`)),
      h("p", { class: "what" }, seconds ? "of computing" : "parameters per task"),
      data.count ? h(
        "p",
        {},
        `${counted(totals.children, "child")} sampled, ${count(totals.accepted)} of them accepted`,
        spentFlops(data) ? `; ${flops(spentFlops(data))} spent.` : "."
      ) : null,
      h(
        "p",
        {},
        `${compact(totals.parameters_per_task)} parameters per task`,
        totals.evolved_tasks > 1 && saved > 4e-3 ? `, ${percent(saved, 0)} % fewer than ${spelled(totals.evolved_tasks).toLowerCase()} models apart` : "",
        `; ${flops(totals.flops_per_task)} for a prediction.`
      )
    );
  }

  // page/task/classes.js
  function classes(seen, split2, colour) {
    const [images2, right, answers, low, high] = seen[split2].by_class;
    const there = [...images2.keys()].filter((k) => images2[k]);
    const none = images2.length - there.length;
    there.sort((a, b) => right[a] / images2[a] - right[b] / images2[b] || a - b);
    const row2 = (k) => {
      const share = right[k] / images2[k];
      const [from, to] = [low[k] ?? 0, high[k] ?? 1];
      const told2 = [
        `${count(right[k])} of ${count(images2[k])} ${split2} images right, ${percent(share, 1)} %`,
        `95 % interval ${percent(from, 1)} to ${percent(to, 1)} %`,
        `answered ${count(answers[k])} times, rightly ${percent(answers[k] ? right[k] / answers[k] : NaN, 1)} %`
      ];
      const track = h(
        "span",
        { class: "share" },
        h("i", { colour, css: { width: `${100 * share}%` } }),
        h("b", { css: { left: `${100 * from}%`, width: `${100 * (to - from)}%` } })
      );
      return h(
        "li",
        {},
        h("span", { class: "named" }, bdi(seen.classes[k])),
        mark(track, seen.classes[k], told2),
        h("span", { class: "value" }, `${percent(share, 1)} % of ${count(images2[k])}`)
      );
    };
    return h(
      "div",
      {},
      h("h2", {}, "Class by class"),
      h(
        "p",
        { class: "how" },
        `Share of each class’s ${split2} images that is answered right, the lowest first; the line is its 95 % interval (Wilson).${none ? ` ${count(none)} of the classes ${none === 1 ? "has" : "have"} no ${split2} image.` : ""}`
      ),
      some("classes", there, 24, row2, h("ul", { class: "bars shares" }))
    );
  }

  // page/task/confusion.js
  var PAIRS = 12;
  function confusion(seen, split2) {
    const { cells, order, by_class, examples, correct } = seen[split2];
    const [images2, right] = by_class, { classes: classes2 } = seen;
    if (!cells.length) return h("div", { hidden: true });
    const shown = new Set(order);
    const found = new Map(cells.map(([label, answer, n]) => [`${label} ${answer}`, n]));
    const share = (label, n) => images2[label] ? n / images2[label] : 0;
    const most = Math.max(...cells.map(([label, , n]) => share(label, n)));
    const inside = cells.filter(([label, answer]) => shown.has(label) && shown.has(answer));
    const drawn = inside.reduce((sum, [, , n]) => sum + n, 0), wrong = examples - correct;
    const named3 = new Set(cells.slice(0, PAIRS).flatMap(([label, answer]) => [label, answer]));
    const matrix = new Heatmap({
      label: `Images of the ${split2} split by right class (rows) and answer (columns)`,
      most: 620,
      items: { order: () => order, name: (n) => classes2[n], named: order.length > 40 ? named3 : void 0 },
      cell: (label, answer) => {
        if (label === answer)
          return {
            value: null,
            text: count(right[label]),
            told: `${count(right[label])} of ${counted(images2[label], "image")} answered right`
          };
        const n = found.get(`${label} ${answer}`) ?? 0;
        return {
          value: Math.sqrt(share(label, n) / most),
          text: n ? count(n) : "",
          told: `${count(n)} of ${counted(images2[label], "image")} of the first taken for the second`
        };
      },
      rows: () => [
        ["right class", "answer", "images", "% of the class"],
        ...cells.map(([label, answer, n]) => [classes2[label], classes2[answer], n, percent(share(label, n), 1)])
      ]
    });
    const part = order.length < classes2.length ? `the ${count(order.length)} of ${counted(classes2.length, "class")} with most errors` : "";
    const left = drawn < wrong ? ` ${count(drawn)} of ${count(wrong)} errors are in it, the commonest first.` : "";
    const said2 = `A row is a right class, a column an answer; darker is a larger share of the row, grey what was right. Classes that are taken for each other stand side by side.${part ? ` Shown are ${part}.` : ""}${left}`;
    const item = ([label, answer, n]) => h(
      "li",
      {},
      h("span", {}, bdi(classes2[label]), " taken for ", bdi(classes2[answer])),
      h("span", { class: "value" }, `${count(n)} of ${count(images2[label])}`)
    );
    return h(
      "div",
      {},
      h("h2", {}, "What is taken for what"),
      h("p", { class: "how" }, said2),
      h(
        "div",
        { class: "matrix" },
        matrix.box,
        h(
          "div",
          {},
          h("h3", {}, "Most often"),
          some("pairs of classes", cells, PAIRS, item, h("ul", { class: "flows" }))
        )
      )
    );
  }

  // page/task/reliability.js
  var TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];
  function reliability({ reliability: bins, calibration_error: error, examples }, split2, colour) {
    const text = (v) => String(Math.round(100 * v));
    const most = Math.max(...bins.map(([n]) => n));
    const figure = chart({
      title: "Right, % by confidence, %",
      note: `off by ${percent(error, 1)} points`,
      height: (width) => Math.min(360, width),
      label: `Share of ${split2} images that is right, by confidence`,
      draw: (svg, width, height) => {
        const axis = { low: 0, high: 1, ticks: TICKS, text };
        const { x, y } = axes(svg, width, height, { left: 34, right: 12, x: axis, y: axis });
        const line3 = (points2, look) => svg.append(s("path", { d: pathOf(points2.map(([a, b]) => [x(a), y(b)])), fill: "none", ...look }));
        line3(
          [
            [0, 0],
            [1, 1]
          ],
          { stroke: theme.colours.faint, "stroke-dasharray": "4 4" }
        );
        for (const [, sure, , low, high] of bins)
          line3(
            [
              [sure, low],
              [sure, high]
            ],
            { stroke: theme.colours.faint, "stroke-width": 1.5 }
          );
        for (const [n, sure, right] of bins)
          svg.append(
            mark(
              s("circle", { cx: x(sure), cy: y(right), r: 3 + 6 * Math.sqrt(n / most), fill: colour }),
              `${percent(sure, 0)} % sure`,
              [`${percent(right, 1)} % right`, counted(n, `${split2} image`)]
            )
          );
      },
      rows: () => [
        ["mean confidence %", "right %", "from %", "to %", "images"],
        ...bins.map(([n, sure, right, low, high]) => [...[sure, right, low, high].map((v) => percent(v, 1)), count(n)])
      ]
    });
    return h(
      "div",
      {},
      h("h2", {}, "How sure, how right"),
      h(
        "p",
        { class: "how" },
        `The ${count(examples)} ${split2} images by how sure the model is of its answer. On the dashed line it is right as often as it says; below it, it is too sure. A larger dot is more images.`
      ),
      figure
    );
  }

  // page/task/view.js
  var split = "test";
  function route(data) {
    const task = taskAt(data, location.hash), open = task >= 0;
    const box = $("#task");
    const changes = box.hidden === open;
    box.hidden = !open;
    document.documentElement.toggleAttribute("data-task", open);
    if (open) {
      refill(box, () => box.append(...whole(data, task)));
      scrollTo({ top: 0, behavior: "instant" });
    } else if (changes) {
      box.replaceChildren();
      if (location.hash.length > 1)
        document.getElementById(location.hash.slice(1))?.scrollIntoView({ behavior: "instant" });
    }
  }
  function renew(data) {
    const box = $("#task"), task = taskAt(data, location.hash);
    if (!box.hidden && task >= 0) refill(box, () => box.append(...whole(data, task)));
    else if (!box.hidden) route(data);
  }
  function whole(data, number) {
    const task = data.tasks[number], seen = data.seen(number);
    const body = h("div", { class: "stack" });
    if (seen) parts(seen, task.private, taskColour(number), body);
    const head = [
      h("p", { class: "kicker" }, h("a", { href: "#tasks" }, "← The whole system")),
      h(
        "h1",
        {},
        swatch(taskColour(number)),
        bdi(task.name),
        task.private ? h("span", { class: "tag" }, "private") : null
      ),
      h("p", { class: "how" }, sentence(data, number)),
      others(data, number)
    ];
    if (seen) return [...head, body];
    return [...head, h("p", { class: "none" }, `No images of this task are shown: ${data.missing(number)}.`)];
  }
  function sentence(data, number) {
    const task = data.tasks[number], seen = data.seen(number);
    const what = `${counted(task.classes ?? 0, "class")}, ${count(task.train_examples)} training images. `;
    if (!seen) return what;
    const on2 = (name) => `${percent(seen[name].correct / seen[name].examples)} % of ${count(seen[name].examples)} ${name} images`;
    const five = known(seen.test.top_5) ? `; the right class is among its first five answers for ${percent(seen.test.top_5)} % of the test images` : "";
    return `${what}Right on ${on2("test")}, which nothing was selected on, and on ${on2("validation")}, on which its model was selected${five}. Measured for this page with model ${task.model}; images as its network gets them.`;
  }
  function others(data, number) {
    const names = data.tasks.map(({ name }, n) => (
      /** @type {[string, string]} */
      [String(n), name]
    ));
    const go = (wanted) => {
      location.hash = addressOf(data.tasks[Number(wanted)]);
    };
    return h("div", { class: "controls" }, select("Task", names, String(number), go));
  }
  function parts(seen, isPrivate, colour, body) {
    const measured = h("div", { class: "stack" });
    const show = (wanted) => {
      split = wanted;
      refill(
        measured,
        () => measured.append(
          errors(seen, split),
          confusion(seen, split),
          h("div", { class: "matrix" }, classes(seen, split, colour), reliability(seen[split], split, colour))
        )
      );
    };
    const control = choice(
      "Split",
      [
        ["test", "test split"],
        ["validation", "validation split"]
      ],
      split,
      (value) => show(value === "test" ? "test" : "validation")
    );
    body.append(
      samples(seen, isPrivate),
      h("div", { class: "controls", css: { margin: "0" } }, "What the model answers on the ", control),
      measured
    );
    show(split);
  }

  // page/main.js
  var FILLED = /* @__PURE__ */ new Map();
  FILLED.set("summary", { fill: summary, themed: true });
  for (const section of SECTIONS) FILLED.set(section.id, section);
  var filled = /* @__PURE__ */ new Set();
  var near = /* @__PURE__ */ new Set();
  var placed = ({ id, name, title, how }) => h(
    "section",
    { id, "data-name": name, "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, title),
    h("p", { class: "how" }, how),
    h("div", { "data-body": true })
  );
  function fillSection(id) {
    const body = $(`#${id} [data-body]`);
    body.style.minHeight = `${body.offsetHeight}px`;
    refill(body, () => FILLED.get(id)?.fill(state.data, body));
    filled.add(id);
    requestAnimationFrame(() => {
      body.style.minHeight = "";
    });
  }
  function fillOnce(id) {
    if (FILLED.has(id) && !filled.has(id)) fillSection(id);
  }
  var fillMissing = () => FILLED.forEach((_, id) => fillOnce(id));
  function fillLater() {
    const soon = (then) => setTimeout(then, 100);
    (window.requestIdleCallback ?? soon)(() => {
      const left = [...FILLED.keys()].find((id) => !filled.has(id));
      if (!left) return;
      fillSection(left);
      fillLater();
    });
  }
  function update(growing, payload) {
    if (payload?.schema !== 1) throw new Error(`munet: a payload of schema 1 is needed, not ${payload?.schema}`);
    const before = state.data, ended = !before || atEnd();
    const data = new Data(payload), last = Math.max(0, data.count - 1);
    state.chosen = before && state.chosen ? again(before, data, state.chosen) : null;
    state.hover = null;
    state.data = data;
    state.growth = new Growth(data);
    state.step = ended ? last : Math.min(state.step, last);
    state.growth.goto(state.step);
    state.moved = true;
    document.title = data.title;
    document.body.classList.toggle("empty", !data.totals.evolved_tasks && !data.count);
    growing.set(data);
    filled.clear();
    near.forEach(fillSection);
    fillLater();
    renew(data);
  }
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
})();
