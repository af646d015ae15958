import assert from "node:assert/strict";
import { test } from "node:test";
import { lead } from "../src/plots/keyboard";

// Two lines of squares with a bar (no squares) between them.
const LENGTHS = [3, 0, 2];
const at = (line: number, index: number): { line: number; index: number } => ({ line, index });

for (const [key, from, to] of [
  ["ArrowRight", at(0, 0), at(0, 1)],
  ["ArrowRight", at(0, 2), at(2, 0)],
  ["ArrowRight", at(2, 1), at(2, 1)],
  ["ArrowLeft", at(2, 0), at(0, 2)],
  ["ArrowLeft", at(0, 0), at(0, 0)],
  ["ArrowDown", at(0, 2), at(2, 1)],
  ["ArrowUp", at(2, 1), at(0, 1)],
  ["Home", at(0, 2), at(0, 0)],
  ["End", at(0, 0), at(0, 2)],
  ["x", at(0, 0), null],
] as const) {
  test(`${key} from ${JSON.stringify(from)} leads to ${JSON.stringify(to)}`, () => assert.deepEqual(lead(key, from, LENGTHS), to));
}
