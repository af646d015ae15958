import assert from "node:assert/strict";
import { test } from "node:test";
import { Table, type Change } from "../src/table";
import type { Delta, Field, Snapshot } from "../src/wire";

const text = (value: unknown): DataView => new DataView(new TextEncoder().encode(JSON.stringify(value)).buffer as ArrayBuffer);
const bytes = (array: ArrayBufferView): DataView => new DataView(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);

const USE: Field = { key: "use", as: "numbers", type: "f8", buffer: 1 };

function opened(): { table: Table; asked: () => number; changes: Change[] } {
  let asked = 0;
  const changes: Change[] = [];
  const table = new Table(() => (asked += 1));
  table.listen((change) => changes.push(change));
  const snapshot: Snapshot = { kind: "snapshot", revision: 4, count: 2, ids: 0, fields: [USE], selected: ["b"] };
  table.receive(snapshot, [text(["a", "b"]), bytes(new Float64Array([1, Number.NaN]))]);
  return { table, asked: () => asked, changes };
}

const delta = (base: number, removed: string[] = []): Delta => ({
  kind: "delta",
  base,
  revision: base + 1,
  count: 2,
  ids: 0,
  fields: [{ key: "name", as: "words", words: 1, type: "u1", buffer: 2, at: 3 }],
  removed,
});
const named = (): DataView[] => [text(["b", "c"]), text(["vera"]), bytes(new Uint8Array([1])), bytes(new Uint32Array([1]))];

test("a snapshot is rows by id, with nothing where there is no number", () => {
  const { table } = opened();
  assert.deepEqual([...table.rows.values()], [{ id: "a", use: 1 }, { id: "b", use: null }]);
  assert.deepEqual([...table.selected], ["b"]);
});

test("numbers are read wherever they lie in the socket's frame", () => {
  const frame = new Uint8Array(1 + 16);
  frame.set(new Uint8Array(new Float64Array([1, 2]).buffer), 1);
  const table = new Table(() => undefined);
  table.receive({ kind: "snapshot", revision: 1, count: 2, ids: 0, fields: [USE] }, [text(["a", "b"]), new DataView(frame.buffer, 1)]);
  assert.deepEqual([...table.rows.values()].map((row) => row["use"]), [1, 2]);
});

test("a delta merges parts of rows, adds new ones and says which", () => {
  const { table, changes } = opened();
  const kept = table.rows.get("b");
  table.receive(delta(4), named());
  assert.deepEqual(table.rows.get("b"), { id: "b", use: null });
  assert.deepEqual(table.rows.get("c"), { id: "c", name: "vera" });
  assert.notEqual(table.rows.get("b"), kept);
  const change = changes.at(-1);
  assert.equal(change?.kind === "changed" && change.added.length, 1);
});

test("a row that is removed is no longer selected", () => {
  const { table } = opened();
  table.receive({ ...delta(4, ["b"]), count: 0, fields: [] }, [text([])]);
  assert.deepEqual([...table.rows.keys()], ["a"]);
  assert.equal(table.selected.size, 0);
});

test("after a gap everything is asked for, once, and deltas wait for it", () => {
  const { table, asked } = opened();
  table.receive(delta(5), named());
  table.receive(delta(6), named());
  assert.equal(asked(), 1);
  assert.equal(table.rows.has("c"), false);
  table.receive({ kind: "snapshot", revision: 7, count: 1, ids: 0, fields: [] }, [text(["z"])]);
  assert.deepEqual([...table.rows.keys()], ["z"]);
});

test("a delta or a snapshot that is known already changes nothing", () => {
  const { table, changes } = opened();
  table.receive(delta(3), named());
  table.receive({ kind: "snapshot", revision: 4, count: 0, ids: 0, fields: [] }, [text([])]);
  assert.equal(table.rows.size, 2);
  assert.equal(changes.length, 1);
});

test("a row that was clicked before the kernel heard of it stays selected when all rows arrive anew", () => {
  const { table, changes } = opened();
  table.selected = new Set(["a", "b"]);
  table.receive({ kind: "snapshot", revision: 5, count: 2, ids: 0, fields: [], selected: [] }, [text(["a", "c"])]);
  assert.deepEqual([...table.selected], ["a"]);
  assert.deepEqual(changes.map((change) => change.kind === "replaced" && change.first), [true, false]);
});

test("a selection from the kernel holds only rows that are there", () => {
  const { table } = opened();
  table.receive({ kind: "select", ids: ["a", "nobody"] }, []);
  assert.deepEqual([...table.selected], ["a"]);
});
