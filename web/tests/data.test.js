/* Data and growth: layers of paths, ancestors, the network at a step. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Data } from "../page/model/data.js";
import { Growth } from "../page/model/growth.js";
import { origins } from "../page/sections/facts.js";
import { payload } from "./payload.js";

const data = () => new Data(payload());

test("a path is its base and what is different", () => {
  const made = data();
  assert.deepEqual([...(made.layersOf(3) ?? [])], [0, 1, 6, 3, 7]);
  assert.deepEqual([...(made.layersOf(2) ?? [])], [0, 1, 6, 3, 5]);
  assert.deepEqual([...(made.layersOf(4) ?? [])], [0, 1, -1, 3, 8], "a slot that is gone");
  assert.equal(made.layersOf(3), made.layersOf(3), "made once");
  assert.equal(made.layersOf(-1), null);
});

test("a sampled child has its parent's layers but for its own and those that it removed", () => {
  const made = data();
  assert.deepEqual([...(made.sampled(3)?.layers ?? [])], [0, 1, 6, 3, -1]);
  assert.deepEqual([...(made.sampled(5)?.layers ?? [])], [0, 1, -1, 3, -1]);
  assert.deepEqual([...(made.sampled(5)?.own ?? [])], [4]);
  assert.equal(made.sampled(4), null, "its parent is not known");
});

test("ancestors, verdicts and what a child did", () => {
  const made = data();
  assert.deepEqual(made.chain(3), [3, 1, 0]);
  assert.equal(made.verdict(2), "rejected: worse");
  assert.equal(made.verdict(3), "accepted, best so far");
  assert.deepEqual(made.told(1), ["learning_rate 0.1 → 0.2", "its own block.1 and head"]);
  assert.equal(made.taskName(-1), "the root");
  assert.equal(made.taskName(-2), "a task that is not here");
});

test("what is not known is no number, and no zero", () => {
  const made = data();
  assert.ok(Number.isNaN(made.score[4]));
  assert.equal(made.score[3], 0.9);
});

test("the network at a step, forwards and back", () => {
  const growth = new Growth(data());
  growth.goto(0);
  assert.deepEqual([...growth.paths], [1, -1, -1]);
  assert.equal(growth.goto(2), true);
  assert.deepEqual([...growth.paths], [2, -1, -1]);
  assert.equal(growth.goto(2), false, "nothing changed");
  growth.goto(5);
  assert.deepEqual([...growth.paths], [2, 3, 4]);
  assert.deepEqual(growth.users(6), [1, 0], "from left to right");
  growth.goto(0);
  assert.deepEqual([...growth.paths], [1, -1, -1]);
  assert.deepEqual(growth.users(6), []);
});

test("accuracies are those of the step, and at the end those of the store", () => {
  const made = data();
  const growth = new Growth(made);
  growth.goto(0);
  assert.equal(growth.accuracy(0), 0.5);
  assert.ok(Number.isNaN(growth.accuracy(1)));
  growth.goto(5);
  assert.equal(growth.accuracy(0), 0.9);
  const first = new Growth(new Data(payload({ retained: [-1, 3, 4] })));
  first.goto(5);
  assert.equal(first.accuracy(0), 0.7, "the best of a task whose first iteration goes on");
});

test("at the end stands what the store retains, also without a history", () => {
  const none = { step: [], task: [], path: [], sampled: [] };
  const growth = new Growth(new Data(payload({ moments: none })));
  growth.goto(5);
  assert.deepEqual([...growth.paths], [2, 3, 4]);
});

test("a layer that tasks trained together is of all of them", () => {
  const together = [[], [], [], [], [], [], [0, 1], [], []];
  const data = new Data(payload({ layers: { ...payload().layers, together } }));
  assert.deepEqual(data.makers(6), [0, 1]);
  assert.deepEqual(data.makers(7), [1]);
  assert.equal(data.madeBy(6), "one and two");
  assert.equal(data.madeBy(0), "the root");
  // Task 1 has layer 6, which it trained with task 0: nobody taught it.
  assert.equal(origins(data).others, 0);
});
