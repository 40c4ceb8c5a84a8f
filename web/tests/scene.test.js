/* Where boxes and lines stand. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Data } from "../page/model/data.js";
import { Growth } from "../page/model/growth.js";
import { isPlain } from "../page/network/families.js";
import { spread } from "../page/network/rows.js";
import { Scene } from "../page/network/scene.js";
import { payload } from "./payload.js";

/** @param {number} step */
function scene(step) {
  const data = new Data(payload());
  const growth = new Growth(data);
  growth.goto(step);
  return { data, growth, made: new Scene(data, growth) };
}

test("boxes are spread without touching, as near to where they want to be as that allows", () => {
  assert.deepEqual(spread([0, 2], [0.5, 0.5], 3), [0, 2]);
  const [a, b] = spread([1, 1], [0.5, 0.5], 3);
  assert.ok(b - a >= 0.5 && Math.abs((a + b) / 2 - 1) < 1e-9);
  const edge = spread([0, 0, 0], [0.8, 0.8, 0.8], 3);
  assert.ok(edge[0] - 0.4 >= -0.5 - 1e-9, "inside the columns");
  assert.ok(edge[1] - edge[0] >= 0.8 && edge[2] - edge[1] >= 0.8);
});

test("a layer has one box as wide as it has users, and each line a port of its own", () => {
  const { data, made } = scene(5);
  const embedding = made.boxes[0];
  assert.equal(embedding.length, 1);
  assert.deepEqual(embedding[0].users, [1, 0, 2]);
  assert.deepEqual(made.boxes[data.rows.indexOf(4)].map((box) => box.layer).sort(), [5, 7, 8]);
  const ports = [1, 0, 2].map((task) => made.ports[0][task]);
  assert.ok(ports[0] < ports[1] && ports[1] < ports[2]);
  assert.ok(embedding[0].width > made.boxes[data.rows.indexOf(4)][0].width);
});

test("a line goes straight on where its task has no layer", () => {
  const { data, made } = scene(5);
  const row = data.rows.indexOf(2);
  assert.equal(made.meets[row][2], 0);
  const [low, here, high] = [row - 1, row, row + 1].map((at) => made.ports[at][2]);
  assert.ok(Math.abs(here - (low + high) / 2) < 1e-6);
});

test("it glides to another step and comes to rest there", () => {
  const { growth, made } = scene(1);
  growth.goto(5);
  made.arrange(true);
  const box = made.boxes[0][0];
  const before = made.place(box).width;
  assert.ok(before < box.width, "it begins where it was");
  let frames = 0;
  while (made.glide(0.3)) assert.ok(++frames < 100);
  assert.ok(frames > 3);
  assert.deepEqual(made.place(box), { x: box.x, width: box.width });
});

test("layers of the root stand apart where that is asked for, and their lines go straight on", () => {
  const data = new Data(payload());
  const growth = new Growth(data);
  growth.goto(5);
  const made = new Scene(data, growth, true);
  assert.deepEqual(
    made.boxes[0].map((box) => box.users),
    [[1], [0], [2]],
  );
  for (const task of [0, 1, 2]) assert.equal(made.ports[0][task], data.column[task]);
  assert.equal(new Set(made.boxes.flat().map((box) => box.key)).size, made.boxes.flat().length);
  assert.deepEqual(made.find(0, 2), { x: data.column[2] });
  assert.equal(made.find(6, 1), made.shown.get(6), "a layer that a task trained is one box");
});

test("a shortened name is written only where it stands for one task", () => {
  const tasks = ["task-010", "task-020", "flowers-large"].map((name) => ({ name }));
  assert.ok(isPlain("task-010", tasks));
  assert.ok(isPlain("flow…ge", tasks));
  assert.ok(!isPlain("task…0", tasks));
  assert.ok(!isPlain("task-…", tasks));
});
