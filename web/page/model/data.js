/* The payload, made convenient: typed columns, layers of a path, who uses what at which step. */

import { listed } from "../base/text.js";

export const ROOT = -1; // as a parent or as who trained a layer; -2 is one that is not known here

export class Data {
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
    /** @type {Map<number, Int32Array>} layers of the paths that were asked for */
    this.full = new Map();
    this.column = new Int32Array(this.tasks.length);
    this.order.forEach((task, place) => {
      this.column[task] = place;
    });
    this.rows = this.slots.map((_, slot) => slot).filter((slot) => this.slots[slot] !== "norm");
    this.slotOf = new Map(this.slots.map((name, slot) => [name, slot]));
    this.gone = this.words.mutations.map((word) => (word.startsWith("−") ? this.slotOf.get(word.slice(1)) : undefined));
    this.retainedStep = this.lastMoments();
  }

  /**
   * Layer in each slot (-1: none) of a path; a path is its base and what is different. null for path -1.
   * @param {number} path
   * @returns {Int32Array | null}
   */
  layersOf(path) {
    if (path < 0) return null;
    let known = this.full.get(path);
    if (known) return known;
    /** @type {number[]} */
    const chain = []; // paths that are not known yet, each the base of the one before
    for (let at = path; at >= 0 && !known; at = this.paths[at][0]) {
      known = this.full.get(at);
      if (!known) chain.push(at);
    }
    known ??= new Int32Array(this.slots.length).fill(-1);
    for (const at of chain.reverse()) {
      const delta = this.paths[at];
      known = known.slice();
      for (let n = 1; n < delta.length; n += 2) known[delta[n]] = delta[n + 1];
      this.full.set(at, known);
    }
    return known;
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
    const own = new Set(this.children.own[step]);
    for (const word of this.children.mutations[step]) {
      const gone = this.gone[word];
      if (gone !== undefined) layers[gone] = -1;
    }
    for (const slot of own) layers[slot] = -1;
    return { task: this.task[step], layers, own };
  }

  /**
   * Steps of a child and its ancestors, itself first.
   * @param {number} step
   */
  chain(step) {
    /** @type {number[]} */
    const found = [];
    for (let at = step; at >= 0 && found.length < 5000; at = this.parent[at]) found.push(at);
    return found;
  }

  /** @param {number} step */
  verdict(step) {
    const state = this.state[step];
    if (state === 0) return `rejected: ${this.words.reasons[this.children.reason[step]] ?? "no reason recorded"}`;
    return state === 1 ? "accepted" : "accepted, best so far";
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
    return task === ROOT ? "the root" : (this.tasks[task]?.name ?? "a task that is not here");
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
    return this.images[task] ? (this.images[task]?.missing ?? "") : "they were left out of this page";
  }

  /**
   * What a child did to its parent, in a few words.
   * @param {number} step
   */
  told(step) {
    const own = this.children.own[step]
      .map((slot) => this.slots[slot])
      .filter((slot) => slot !== "norm" && slot !== "head");
    return [
      ...this.children.mutations[step].map((word) => this.words.mutations[word]),
      own.length ? `its own ${own.join(", ")} and head` : "its own head",
    ];
  }
}
