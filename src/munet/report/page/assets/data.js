/* The payload, made convenient: typed columns, layers of a path, who uses what at which step. */

const ROOT = -1; // as a parent or as who trained a layer; -2 is one that is not known here

class Data {
  constructor(payload) {
    Object.assign(this, payload);
    const rows = payload.children;
    this.count = rows.task.length;
    this.score = Float64Array.from(rows.score, (v) => (v === null ? NaN : v));
    this.accuracy = Float64Array.from(rows.accuracy, (v) => (v === null ? NaN : v));
    this.task = Int32Array.from(rows.task);
    this.parent = Int32Array.from(rows.parent);
    this.state = Uint8Array.from(rows.state);
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

  /* Layer in each slot (-1: none) of a path; a path is its base and what is different. */
  layersOf(path) {
    if (path < 0) return null;
    let known = this.full.get(path);
    if (known) return known;
    const chain = [];
    for (let at = path; at >= 0 && !known; at = this.paths[at][0]) {
      known = this.full.get(at);
      if (!known) chain.push(at);
    }
    known = known || new Int32Array(this.slots.length).fill(-1);
    while (chain.length) {
      const at = chain.pop();
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

  /* The sampled child's layers: its parent's, and which slots are its own. null where the parent's are not known. */
  sampled(step) {
    const parent = this.parent[step];
    const base = this.layersOf(parent === ROOT ? 0 : parent >= 0 ? this.children.path[parent] : -1);
    if (!base || !this.paths.length) return null;
    const layers = base.slice();
    const own = new Set(this.children.own[step]);
    for (const word of this.children.mutations[step]) if (this.gone[word] !== undefined) layers[this.gone[word]] = -1;
    for (const slot of own) layers[slot] = -1;
    return { task: this.task[step], layers, own };
  }

  /* Steps of a child and its ancestors, itself first. */
  chain(step) {
    const found = [];
    for (let at = step; at >= 0 && found.length < 5000; at = this.parent[at]) found.push(at);
    return found;
  }

  verdict(step) {
    const state = this.state[step];
    if (state === 0) return `rejected: ${this.words.reasons[this.children.reason[step]] ?? "no reason recorded"}`;
    return state === 1 ? "kept" : "kept, best so far";
  }

  by(layer) {
    return this.layers.by[layer];
  }
  taskName(task) {
    return task === ROOT ? "the root" : (this.tasks[task]?.name ?? "a task that is not here");
  }

  /* What a child did to its parent, in a few words. */
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

/* Which path each task has at a step: moments applied one after the other, from the start again when time runs back. */
class Growth {
  constructor(data) {
    this.data = data;
    this.paths = new Int32Array(data.tasks.length).fill(-1);
    this.since = new Int32Array(data.tasks.length).fill(-1);
    this.done = 0;
    this.step = -1;
  }

  /* True where a path is another one than before. */
  goto(step) {
    const { moments, count, retained } = this.data;
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
    // At the end stands what the store retains, also where the history of it is not known.
    if (step >= count - 1)
      retained.forEach((path, task) => {
        if (path >= 0) this.paths[task] = path;
      });
    return this.paths.some((path, task) => path !== before[task]);
  }

  layers(task) {
    return this.data.layersOf(this.paths[task]);
  }

  accuracy(task) {
    if (this.paths[task] < 0) return NaN;
    const { count, retained, tasks } = this.data;
    // A task whose first iteration is still going on has no retained model, but a best one.
    if (this.step >= count - 1 && retained[task] >= 0) return tasks[task].validation_accuracy ?? NaN;
    return this.since[task] >= 0 ? this.data.accuracy[this.since[task]] : NaN;
  }

  users(layer) {
    const slot = this.data.layers.slot[layer];
    return this.data.order.filter((task) => this.layers(task)?.[slot] === layer);
  }
}
