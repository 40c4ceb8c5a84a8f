/* What the reader looks at: the step, what is pointed at and what is chosen. Views listen for changes. */

/**
 * @typedef {object} State
 * @property {Data} data there from the start of the page on
 * @property {Growth} growth the same at `step`
 * @property {number} step
 * @property {boolean} moved whether the last step changed the network
 * @property {boolean} playing
 * @property {Focus | null} hover
 * @property {Focus | null} chosen
 * @property {string} query what is searched for
 */

/** @type {State} */
export const state = {
  data: /** @type {any} */ (null),
  growth: /** @type {any} */ (null),
  step: 0,
  moved: false,
  playing: false,
  hover: null,
  chosen: null,
  query: "",
};

/** @typedef {"step" | "focus" | "choice" | "theme" | "play" | "pause" | "slow"} Event */

/** @type {Map<Event, (() => void)[]>} */
const listeners = new Map();

/**
 * @param {Event} event
 * @param {() => void} listener
 */
export function on(event, listener) {
  listeners.set(event, [...(listeners.get(event) ?? []), listener]);
}

/** @param {Event} event */
export function emit(event) {
  for (const listener of listeners.get(event) ?? []) listener();
}

export const focus = () => state.hover || state.chosen;

/**
 * @param {Focus | null} a
 * @param {Focus | null} b
 */
export const same = (a, b) =>
  a === b || Boolean(a && b && a.kind === b.kind && a.task === b.task && a.layer === b.layer && a.step === b.step);

/** @param {Focus | null} wanted */
export function hover(wanted) {
  if (same(state.hover, wanted)) return;
  state.hover = wanted;
  emit("focus");
}

/**
 * Choose something; the same again, or null, clears. What the data does not hold is not chosen.
 * @param {Focus | null} wanted
 */
export function choose(wanted) {
  if (wanted && !isThere(wanted)) return;
  state.chosen = same(state.chosen, wanted) ? null : wanted;
  state.hover = null;
  emit("choice");
  emit("focus");
}

/** @param {Focus} wanted */
function isThere(wanted) {
  const { data } = state;
  if (wanted.kind === "task") return data.tasks[wanted.task] !== undefined;
  if (wanted.kind === "layer") return data.layers.slot[wanted.layer] !== undefined;
  return wanted.kind === "model" && wanted.step < data.count;
}

/**
 * Move to a step; what lies outside is the first or the last one.
 * @param {number} step
 */
export function goto(step) {
  const wanted = Math.max(0, Math.min(state.data.count - 1, Math.round(step)));
  if (state.data.count === 0 || wanted === state.step) return;
  state.step = wanted;
  state.moved = state.growth.goto(wanted);
  emit("step");
}

export const atEnd = () => state.step >= state.data.count - 1;

/**
 * What was chosen, in new data: tasks by name, layers by id, children by their place in time. null where it is gone.
 * @param {Data} before
 * @param {Data} data
 * @param {Focus} at
 * @returns {Focus | null}
 */
export function again(before, data, at) {
  if (at.kind === "task") {
    const task = data.tasks.findIndex((one) => one.name === before.tasks[at.task].name);
    return task < 0 ? null : { kind: "task", task };
  }
  if (at.kind === "layer") {
    const id = before.layers.id[at.layer],
      layer = id ? data.layers.id.indexOf(id) : -1;
    return layer < 0 ? null : { kind: "layer", layer };
  }
  return at.step < data.count ? at : null;
}
