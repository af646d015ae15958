import assert from "node:assert/strict";
import { test } from "node:test";
import { timeSteps } from "../src/chart/drawing";

const DAY = 86400;

test("an axis of days names no hours", () => {
  assert.equal(timeSteps([0, DAY, 2 * DAY])[0], DAY);
  assert.equal(timeSteps([0, 3600, DAY])[0], 1);
  assert.equal(timeSteps([0])[0], 1);
  assert.deepEqual(timeSteps([]), [...timeSteps([])].sort((a, b) => a - b));
});
