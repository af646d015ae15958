import assert from "node:assert/strict";
import { test } from "node:test";
import { offered } from "../src/grid/toolbar";
import type { ActionSpec } from "../src/wire";

const action = (needs: ActionSpec["needs"]): ActionSpec => ({ key: "it", label: "It", many: "", tone: "plain", needs });

test("where there is no row only what needs none is offered", () => {
  assert.deepEqual(["none", "one", "some"].filter((needs) => offered(action(needs as ActionSpec["needs"]), 0, [])), ["none"]);
  assert.ok(offered(action("one"), 1, []));
});

test("what makes no sense for the selection is not offered", () => {
  assert.ok(!offered(action("one"), 3, ["it"]));
});
