/* Types that the whole page shares. `Payload` is what munet.report.page.payload makes; docs/report.md says what each key
   means. Tasks, slots, layers, paths, words and children (steps) are named by their numbers, from 0; -1 is none or the
   root, and what is not known is null. */

type Maybe<T> = T | null;
type Colour = string;

interface Payload {
  schema: 1;
  title: string;
  made: { munet: string };
  notes: string[];
  root: { model: Maybe<string>; source: string };
  totals: Totals;
  tasks: Task[];
  order: number[];
  /** of many tasks, side by side in `order`; in each whom the others take most from comes first */
  families: number[][];
  slots: string[];
  layers: { slot: number[]; parameters: number[]; by: number[]; together: number[][]; id: string[] };
  /** [base, slot, layer, slot, layer, ...] */
  paths: number[][];
  moments: { step: number[]; task: number[]; path: number[]; sampled: number[] };
  retained: number[];
  children: Children;
  words: { reasons: string[]; mutations: string[]; devices: string[] };
  runs: Run[];
  lineages: Ancestor[][];
  sharing: number[][];
  flow: number[][];
  settings: { distributions: Distribution[]; schedules: Schedule[] };
  probabilities: Maybe<{ by_depth: ByDepth[]; histograms: Histogram[] }>;
  learning: LearningCurve[];
  rejected: { reasons: string[]; by_task: number[][] };
  costs: { seconds: Maybe<number>[][]; flops: Maybe<number>[][]; parameters: [task: number, parameters: number][] };
  progress: TaskIteration[];
  /** of each task */
  ways: Alternative[][];
  images: Maybe<Seen | { missing: string }>[];
}

/** What was measured of a task: its head alone, fine-tuned, what it has (`retained`), what another system has. */
interface Alternative {
  way: string;
  validation_accuracy: Maybe<number>;
  test_accuracy: Maybe<number>;
  trained: Maybe<number>;
  seconds: number;
}

/** What the model of a task answers on its images; classes are named by their numbers. */
interface Seen {
  missing: null;
  classes: string[];
  /** of the test split */
  samples: [label: number, image: number, address: string][];
  validation: SplitSeen;
  test: SplitSeen;
}

interface SplitSeen {
  examples: number;
  correct: number;
  top_5: Maybe<number>;
  calibration_error: number;
  reliability: [images: number, confidence: number, accuracy: number, low: number, high: number][];
  /** columns, one value for each class: images, right ones, answers, and the interval of the share that is right */
  by_class: [images: number[], right: number[], answers: number[], low: Maybe<number>[], high: Maybe<number>[]];
  /** classes of the confusion matrix, and its cells off the diagonal */
  order: number[];
  cells: [label: number, answer: number, images: number][];
  /** the worst first */
  errors: [image: number, label: number, answer: number, confidence: number, ofRight: number, address?: string][];
}

interface Totals {
  tasks: number;
  evolved_tasks: number;
  unique_parameters: number;
  parameters_per_task: Maybe<number>;
  flops_per_task: Maybe<number>;
  mean_validation_accuracy: Maybe<number>;
  mean_test_accuracy: Maybe<number>;
  children: number;
  accepted: number;
  samples: number;
  train_seconds: number;
  validation_seconds: number;
  seconds: Maybe<number>;
  flops_spent: { train: number; validation: number };
  runs: number;
}

interface Task {
  name: string;
  colour: Colour;
  dark: Colour;
  active: boolean;
  private: boolean;
  model: Maybe<string>;
  by: Maybe<string>;
  validation_accuracy: Maybe<number>;
  test_accuracy: Maybe<number>;
  score: Maybe<number>;
  parameters: Maybe<number>;
  accounted_parameters: Maybe<number>;
  flops: Maybe<number>;
  num_blocks: Maybe<number>;
  image_size: Maybe<number>;
  classes: Maybe<number>;
  train_examples: Maybe<number>;
  iterations: Maybe<number>;
}

/** Columns with one value for each child. */
interface Children {
  task: number[];
  parent: number[];
  score: Maybe<number>[];
  accuracy: Maybe<number>[];
  /** 0 rejected, 1 accepted, 2 the best of its task so far */
  state: (0 | 1 | 2)[];
  reason: number[];
  run: number[];
  iteration: number[];
  generation: number[];
  parameters: Maybe<number>[];
  flops: Maybe<number>[];
  seconds: Maybe<number>[];
  path: number[];
  own: number[][];
  mutations: number[][];
  model: string[];
  device: number[];
}

interface Run {
  run: string;
  method: Maybe<string>;
  imported: boolean;
  seed: Maybe<number>;
  children: Maybe<number>;
  seconds: Maybe<number>;
  device: Maybe<string>;
  started: Maybe<string>;
  finished: Maybe<string>;
  abandoned: Maybe<string | boolean>;
}

interface Ancestor {
  model: Maybe<string>;
  task: number;
  step: Maybe<number>;
  validation_accuracy: Maybe<number>;
  alive: boolean;
}

interface Distribution {
  name: string;
  values: string[];
  counts: number[];
  default: Maybe<number>;
}

interface Schedule {
  name: string;
  values: string[];
  lines: [step: number, value: number][][];
}

interface ByDepth {
  kind: string;
  points: { block: number; mean: number; low: number; high: number; count: number }[];
  fit: Maybe<{ slope: number; intercept: number }>;
}

interface Histogram {
  mutation: string;
  values: number[];
  counts: number[];
}

interface LearningCurve {
  task: number;
  accuracies: Maybe<number>[];
  starts: number[];
  selected: Maybe<number>;
  test_accuracy: Maybe<number>;
}

interface TaskIteration {
  task: number;
  /** that it retained, with its accuracies */
  model: Maybe<string>;
  validation_accuracy: Maybe<number>;
  test_accuracy: Maybe<number>;
  iteration: number;
  tasks: Maybe<number>;
  mean_validation_accuracy: Maybe<number>;
  mean_test_accuracy: Maybe<number>;
  parameters_per_task: Maybe<number>;
  flops_per_task: Maybe<number>;
  samples: Maybe<number>;
  seconds: Maybe<number>;
  flops_spent: Maybe<number>;
  derived: boolean;
}

type Data = import("./model/data.js").Data;
type Growth = import("./model/growth.js").Growth;
type NetworkView = import("./network/view.js").NetworkView;
type TimePanel = import("./time/panel.js").TimePanel;

/** What is pointed at or chosen. */
type Focus =
  | { kind: "task"; task: number; layer?: undefined; step?: undefined }
  | { kind: "layer"; layer: number; task?: undefined; step?: undefined }
  | { kind: "model"; step: number; task?: undefined; layer?: undefined };

/** A model that is drawn over the network: the layer in each slot (-1: none), and the slots of which it has its own. */
interface Way {
  task: number;
  layers: Int32Array;
  own: Set<number>;
}

/** What stands out in the network. `named` and `accuracy` are those of a model in focus, which is `way`. */
interface Light {
  tasks: Set<number>;
  layers: Set<number>;
  named?: number;
  accuracy?: number;
  way?: Way;
}

/** A box of the network: a layer, its users, and where it stands (in columns). */
interface Box {
  /** the layer; below 0 for one of several boxes of the same layer */
  key: number;
  layer: number;
  users: number[];
  x: number;
  width: number;
  at: number;
}

interface Section {
  id: string;
  /** in the bar at the top */
  name: string;
  title: string;
  /** a line that says how to read it */
  how: string;
  /** whether it is filled anew when the theme changes; charts are drawn anew by themselves */
  themed?: boolean;
  fill(data: Data, body: HTMLElement): void;
}

interface Window {
  munet: {
    update(payload: Payload): void;
    state: import("./model/state.js").State;
    goto(step: number): void;
    choose(focus: Maybe<Focus>): void;
  };
}
