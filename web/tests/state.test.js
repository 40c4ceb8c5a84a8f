/* What the reader looks at, and what stands out then. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Data } from "../page/model/data.js";
import { Growth } from "../page/model/growth.js";
import { again, choose, focus, goto, hover, on, state } from "../page/model/state.js";
import { lit } from "../page/network/lit.js";
import { payload } from "./payload.js";

/** @type {string[]} */
let heard = [];
for (const event of /** @type {const} */ (["step", "focus", "choice"])) on(event, () => heard.push(event));

beforeEach(() => {
  const data = new Data(payload());
  Object.assign(state, { data, growth: new Growth(data), step: 5, chosen: null, hover: null, query: "" });
  state.growth.goto(5);
  heard = [];
});

test("what is pointed at goes before what is chosen", () => {
  choose({ kind: "task", task: 1 });
  assert.deepEqual(focus(), { kind: "task", task: 1 });
  hover({ kind: "layer", layer: 6 });
  assert.deepEqual(focus(), { kind: "layer", layer: 6 });
  hover(null);
  assert.deepEqual(focus(), { kind: "task", task: 1 });
  assert.deepEqual(heard, ["choice", "focus", "focus", "focus"]);
});

test("the same again clears, and what is not there cannot be chosen", () => {
  choose({ kind: "task", task: 1 });
  choose({ kind: "task", task: 1 });
  assert.equal(state.chosen, null);
  heard = [];
  choose({ kind: "task", task: 3 });
  choose({ kind: "layer", layer: 9 });
  choose({ kind: "model", step: 6 });
  choose(/** @type {any} */ ({ kind: "nonsense", task: 0 }));
  assert.equal(state.chosen, null);
  assert.deepEqual(heard, []);
});

test("steps stay inside, and who stands there already is told nothing", () => {
  goto(-4);
  assert.equal(state.step, 0);
  goto(Infinity);
  assert.equal(state.step, 5);
  goto(5.2);
  assert.deepEqual(heard, ["step", "step"]);
});

test("a choice is found again in other data", () => {
  const { data } = state;
  const other = new Data(payload({ tasks: [...data.tasks].reverse() }));
  assert.deepEqual(again(data, other, { kind: "task", task: 0 }), { kind: "task", task: 2 });
  const fewer = new Data(payload({ tasks: data.tasks.slice(1) }));
  assert.equal(again(data, fewer, { kind: "task", task: 0 }), null);
  const layers = { ...data.layers, id: ["cccc7", ...data.layers.id.slice(1, 7), "", ""] };
  assert.deepEqual(again(data, new Data(payload({ layers })), { kind: "layer", layer: 7 }), {
    kind: "layer",
    layer: 0,
  });
  assert.equal(again(data, data, { kind: "layer", layer: 8 }), null, "it has no id");
});

test("a task, a layer, a child and a search light what belongs to them", () => {
  const { data, growth } = state;
  /** @param {Light | null} light */
  const sets = (light) => light && [[...light.tasks], [...light.layers].filter((layer) => layer >= 0)];
  assert.equal(lit(data, growth, ""), null);
  choose({ kind: "task", task: 2 });
  assert.deepEqual(sets(lit(data, growth, "")), [[2], [0, 1, 3, 8]]);
  choose({ kind: "layer", layer: 6 });
  assert.deepEqual(sets(lit(data, growth, "")), [[1, 0], [6]]);
  choose({ kind: "model", step: 3 });
  assert.deepEqual(lit(data, growth, "")?.named, 1);
  choose(null);
  assert.deepEqual(sets(lit(data, growth, "two")), [[1], [0, 1, 6, 3, 7]]);
  assert.deepEqual(sets(lit(data, growth, "bbbb6")), [[1, 0], [6]], "a layer by its id");
  assert.deepEqual(sets(lit(data, growth, "nobody")), [[], []]);
});
