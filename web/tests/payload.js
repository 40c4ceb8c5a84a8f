/* A small system by hand: three tasks on a root of embedding, two blocks, norm and head, grown in six children. */

const SLOTS = ["embedding", "block.0", "block.1", "norm", "head"];

/** @param {string} name */
const task = (name) =>
  /** @type {Task} */ ({
    name,
    colour: "#336699",
    dark: "#6699cc",
    active: false,
    private: false,
    model: `${name}0123456`,
    validation_accuracy: 0.9,
    test_accuracy: 0.8,
    score: 0.9,
    parameters: 100,
    accounted_parameters: 50,
    flops: 1000,
    num_blocks: 2,
    image_size: 32,
    classes: 3,
    train_examples: 90,
    iterations: 1,
  });

/**
 * Steps 0 and 1 are children of task 0 (the second on the first), 2 and 3 of task 1 (the latter on step 1), 4 and 5 of
 * task 2. Layers 0 to 4 are the root's, 5 and 6 were trained by task 0, 7 by task 1, 8 by task 2. Task 2 lost block 1.
 * @param {Partial<Payload>} changes
 * @returns {Payload}
 */
export function payload(changes = {}) {
  const count = 6;
  return {
    schema: 1,
    title: "by hand",
    made: { munet: "0" },
    notes: [],
    root: { model: "root", source: "random" },
    totals: {
      ...{ tasks: 3, evolved_tasks: 3, unique_parameters: 1500000, parameters_per_task: 500000, flops_per_task: 1000 },
      ...{ mean_validation_accuracy: 0.9, mean_test_accuracy: 0.8, children: count, accepted: 4, samples: 100 },
      ...{ train_seconds: 1, validation_seconds: 1, seconds: 2, flops_spent: { train: 70, validation: 30 }, runs: 1 },
    },
    tasks: [task("one"), task("two"), task("three")],
    order: [1, 0, 2],
    families: [],
    slots: SLOTS,
    layers: {
      slot: [0, 1, 2, 3, 4, 4, 2, 4, 4],
      parameters: [100, 10, 10, 1, 5, 5, 10, 5, 5],
      by: [-1, -1, -1, -1, -1, 0, 0, 1, 2],
      together: [[], [], [], [], [], [], [], [], []],
      id: ["aaaa0", "aaaa1", "aaaa2", "aaaa3", "aaaa4", "bbbb5", "bbbb6", "cccc7", ""],
    },
    paths: [
      [-1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4],
      [0, 4, 5],
      [1, 2, 6],
      [2, 4, 7],
      [0, 2, -1, 4, 8],
    ],
    moments: { step: [0, 1, 3, 5], task: [0, 0, 1, 2], path: [1, 2, 3, 4], sampled: [0, 1, 3, 5] },
    retained: [2, 3, 4],
    children: {
      task: [0, 0, 1, 1, 2, 2],
      parent: [-1, 0, -1, 1, -2, -1],
      score: [0.5, 0.7, 0.4, 0.9, null, 0.8],
      accuracy: [0.5, 0.7, 0.4, 0.9, null, 0.8],
      state: [2, 2, 0, 2, 0, 2],
      reason: [-1, -1, 0, -1, 1, -1],
      run: Array(count).fill(0),
      iteration: Array(count).fill(0),
      generation: Array(count).fill(0),
      parameters: Array(count).fill(100),
      flops: Array(count).fill(1000),
      seconds: Array(count).fill(1),
      path: [1, 2, -1, 3, -1, 4],
      own: [[4], [2], [4], [4], [4], [4]],
      mutations: [[], [0], [], [], [], [1]],
      model: ["m0", "m1", "", "m3", "", "m5"],
      device: Array(count).fill(0),
    },
    words: {
      reasons: ["worse", "non-finite loss"],
      mutations: ["learning_rate 0.1 → 0.2", "−block.1"],
      devices: ["cpu"],
    },
    runs: [],
    lineages: [[], [], []],
    sharing: [
      [5, 4, 3],
      [4, 5, 3],
      [3, 3, 4],
    ],
    flow: [
      [1, 0, 0],
      [2, 0, 0],
      [0, 0, 0],
    ],
    settings: { distributions: [], schedules: [] },
    probabilities: null,
    learning: [],
    rejected: { reasons: [], by_task: [] },
    costs: { seconds: [], flops: [], parameters: [] },
    progress: [],
    ways: [],
    images: [],
    ...changes,
  };
}
