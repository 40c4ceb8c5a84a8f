/* What sections say of the whole system, and the list of them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Data } from "../page/model/data.js";
import { SECTIONS } from "../page/sections.js";
import { inWords, origins, spelled, spentFlops, teachers } from "../page/sections/facts.js";
import { circle } from "../circles.js";
import { payload } from "./payload.js";

test("every section has a name and a line that says how to read it", () => {
  const ids = SECTIONS.map((one) => one.id);
  assert.equal(new Set(["summary", "network", ...ids]).size, ids.length + 2);
  for (const one of SECTIONS) assert.ok(one.name && one.title && one.how.endsWith("."), one.id);
});

test("who trained what the models use, and who taught whom", () => {
  const data = new Data(payload());
  assert.deepEqual(origins(data), { own: 25, others: 10, root: 333 });
  assert.deepEqual(teachers(data), [{ task: 0, learners: [1], parameters: 10 }]);
  assert.equal(spentFlops(data), 100);
});

test("numbers in words", () => {
  assert.equal(spelled(3), "Three");
  assert.equal(spelled(13), "13");
  assert.equal(inWords(1500000), "1.50 million");
});

test("circles of imports are found", () => {
  const imports = (/** @type {string[]} */ ...paths) => ({ imports: paths.map((path) => ({ path })) });
  assert.equal(circle({ a: imports("b", "c"), b: imports("c"), c: imports() }), null);
  assert.deepEqual(circle({ a: imports("b"), b: imports("c"), c: imports("b") }), ["b", "c", "b"]);
});
