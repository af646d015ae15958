import assert from "node:assert/strict";
import { test } from "node:test";
import type { IRowNode, SortComparatorFn } from "ag-grid-community";
import { definitions, searchText, shown } from "../src/grid/columns";
import type { Row } from "../src/table";
import type { ColumnSpec, Kind } from "../src/wire";

function spec(kind: Kind, more: Partial<ColumnSpec> = {}): ColumnSpec {
  const usual = { width: null, flex: null, align: null, hover: null, words: null, states: {}, unit: "", decimals: null };
  return { key: "it", title: "It", kind, hide_narrow: false, extra: false, sortable: true, ...usual, ...more };
}

function sorted(kind: Kind, values: Row[string][], descending = false): Row[string][] {
  const compare = definitions([spec(kind)], [])[0]!.comparator as SortComparatorFn<Row>;
  const nodes = values.map((it, place) => ({ data: { id: String(place), it } }) as unknown as IRowNode<Row>);
  // As AG Grid does: the comparator's sign is turned round for a descending order.
  nodes.sort((a, b) => compare(null, null, a, b, descending) * (descending ? -1 : 1));
  return nodes.map((node) => node.data!["it"]!);
}

test("numbers in texts are compared as numbers", () => {
  assert.deepEqual(sorted("text", ["gpu-10", "gpu-2", "Gpu-1"]), ["Gpu-1", "gpu-2", "gpu-10"]);
});

test("rows without a value come last in both directions", () => {
  assert.deepEqual(sorted("number", [null, 2, 1]), [1, 2, null]);
  assert.deepEqual(sorted("number", [null, 1, 2], true), [2, 1, null]);
});

test("descending by how long something lasts begins with the longest", () => {
  assert.deepEqual(sorted("since", [300, 100, 200], true), [100, 200, 300]);
});

test("what is used is compared as a part of its limit", () => {
  assert.deepEqual(sorted("meter", [[1, 1], [2, 8]]), [[2, 8], [1, 1]]);
});

test("the filter looks through words and device names, not through times", () => {
  const columns = [spec("state", { states: { running: { word: "Running", tone: "ok" } } }), spec("devices", { key: "on" }), spec("since", { key: "at" })];
  assert.equal(searchText(columns, { id: "a", it: "running", on: [["dgx-1 gpu-3", "held", 1, 0]], at: 100 }), "running\ndgx-1 gpu-3");
});

test("extra columns are shown where they are asked for, others are left out where it is narrow", () => {
  const extra = spec("text", { extra: true });
  const wide = spec("text", { hide_narrow: true });
  assert.deepEqual([shown(extra, false, false), shown(extra, false, true)], [false, true]);
  assert.deepEqual([shown(wide, false, false), shown(wide, true, false), shown(wide, true, true)], [true, false, true]);
  assert.equal(shown(spec("text"), true, false), true);
});
