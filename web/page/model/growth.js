/* The system at a step of its history. */

/* Which path each task has at a step: moments applied one after the other, from the start again when time runs back. */
export class Growth {
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
    const { count, retained, tasks } = this.data;
    // A task whose first iteration is still going on has no retained model, but a best one.
    if (this.step >= count - 1 && retained[task] >= 0) return tasks[task].validation_accuracy ?? NaN;
    return this.since[task] >= 0 ? this.data.accuracy[this.since[task]] : NaN;
  }

  /**
   * What a task's model is at this step: its id and parameters; null without one.
   * @param {number} task
   */
  model(task) {
    if (this.paths[task] < 0) return null;
    const { count, retained, tasks, children } = this.data;
    if (this.step >= count - 1 && retained[task] >= 0)
      return { id: tasks[task].model, parameters: tasks[task].parameters };
    const step = this.since[task];
    return step >= 0
      ? { id: children.model[step], parameters: children.parameters[step] }
      : { id: null, parameters: null };
  }

  /**
   * Tasks whose model has a layer at this step, from left to right.
   * @param {number} layer
   */
  users(layer) {
    const slot = this.data.layers.slot[layer];
    return this.data.order.filter((task) => this.layers(task)?.[slot] === layer);
  }
}
