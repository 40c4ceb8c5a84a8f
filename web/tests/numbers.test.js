/* Numbers, texts and axes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { compact, count, counted, difference, duration, known, percent, portion } from "../page/base/numbers.js";
import { listed, shortened } from "../page/base/text.js";
import { apartFrom, movedApart, ticks, timeTicks } from "../page/base/ticks.js";

test("numbers are written with three digits that count", () => {
  assert.equal(compact(1485706), "1.49 M");
  assert.equal(compact(999600, "FLOP"), "1.00 MFLOP");
  assert.equal(compact(12, "FLOP"), "12 FLOP");
  assert.equal(count(1234567.4), "1,234,567");
  assert.equal(percent(0.98765, 1), "98.8");
});

test("what is not known is a dash, and never zero", () => {
  for (const text of [compact(null), count(undefined), percent(NaN), duration(null)]) assert.equal(text, "–");
  assert.equal(known(0), true);
  assert.ok(Number.isNaN(difference(0.5, null)));
});

test("words after numbers", () => {
  assert.equal(counted(1, "child"), "1 child");
  assert.equal(counted(2, "child"), "2 children");
  assert.equal(counted(0, "class"), "0 classes");
  assert.equal(listed(["a", "b", "c"]).join(""), "a, b and c");
});

test("what is not all is not 100 %, and what is something not 0 %", () => {
  assert.equal(portion(0), "0");
  assert.equal(portion(0.003), "<\u00a01");
  assert.equal(portion(0.005), "1");
  assert.equal(portion(0.994), "99");
  assert.equal(portion(0.997), ">\u00a099");
  assert.equal(portion(1), "100");
});

test("times", () => {
  assert.equal(duration(0), "0");
  assert.equal(duration(13.62), "13.6 s");
  assert.equal(duration(59.7), "1:00");
  assert.equal(duration(90), "1:30");
  assert.equal(duration(600), "10:00");
  assert.equal(duration(3675), "1:01:15");
  assert.equal(duration(36000), "10:00:00");
  assert.equal(duration(864000), "10 days");
});

test("long names keep their beginning and their end", () => {
  const measure = (/** @type {string} */ text) => [...text].length;
  assert.equal(shortened("short", 10, measure), "short");
  assert.equal(shortened("cmaterdb_bangla", 10, measure), "cmater…gla");
  assert.equal(shortened("abc", 0, measure), "…");
});

test("labels are moved apart as little as that takes, and stay in order and inside", () => {
  assert.deepEqual(movedApart([10, 100, 11], 0, 200, 15), [10, 100, 25]);
  assert.deepEqual(movedApart([195, 198], 0, 200, 15), [185, 200]);
  assert.deepEqual(movedApart([-5, 400, 0], 0, 30, 15), [0, 30, 15]);
});

test("ticks are round and lie inside", () => {
  assert.deepEqual(ticks(0, 1, 4), [0, 0.25, 0.5, 0.75, 1]);
  assert.deepEqual(ticks(3, 97, 3), [50]);
  assert.deepEqual(ticks(5, 5, 3), [5]);
  assert.deepEqual(timeTicks(0, 7200, 2), [0, 3600, 7200]);
});

test("of values that stand too close the first ones stay", () => {
  assert.deepEqual(
    apartFrom([5, 0, 6, 10, 99], (v) => v, 0, 50, 4),
    [5, 0, 10],
  );
});
