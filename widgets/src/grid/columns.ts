/** From the columns that Python names to those that AG Grid draws: width, side, order, words. */
import type { ColDef, SortComparatorFn } from "ag-grid-community";
import type { Value } from "../columnar";
import type { Row } from "../table";
import type { ColumnSpec, Kind, SortSpec } from "../wire";
import { rendererFor, stateOf, words } from "./cells";

const RIGHT: ReadonlySet<Kind> = new Set(["number", "percent", "bytes", "money", "duration", "time", "since", "meter"]);
const TEXT: ReadonlySet<Kind> = new Set(["text", "state"]);

/** What a column of a kind takes when nobody says how wide: [width, whether it may grow]. */
const WIDTHS: Record<Kind, [width: number, grows: boolean]> = {
  text: [100, true],
  number: [96, false],
  percent: [78, false],
  bytes: [104, false],
  money: [112, false],
  duration: [116, false],
  time: [108, false],
  since: [108, false],
  state: [120, true],
  devices: [172, true],
  meter: [112, false],
  yesno: [84, false],
};

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function comparable(spec: ColumnSpec, row: Row): number | string | null {
  const value: Value = row[spec.key] ?? null;
  if (value === null || value === "") return null;
  switch (spec.kind) {
    case "state":
      return stateOf(spec, row).word;
    case "devices":
      return (value as Value[]).length;
    case "meter": {
      const [used, limit] = value as [number, number | null];
      return limit ? used / limit : used;
    }
    case "since":
      // Sorted by how long, so "descending" is the longest first.
      return -(value as number);
    case "text":
      return String(value);
    default:
      return Number(value);
  }
}

/** Rows without a value come last in both directions. */
function comparator(spec: ColumnSpec): SortComparatorFn<Row> {
  return (_a, _b, nodeA, nodeB, descending) => {
    const a = nodeA.data ? comparable(spec, nodeA.data) : null;
    const b = nodeB.data ? comparable(spec, nodeB.data) : null;
    if (a === b) return 0;
    if (a === null) return descending ? -1 : 1;
    if (b === null) return descending ? 1 : -1;
    return typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b));
  };
}

function widthOf(spec: ColumnSpec): Partial<ColDef<Row>> {
  const [width, grows] = WIDTHS[spec.kind];
  const minWidth = Math.min(spec.width ?? width, width);
  if (spec.flex !== null) return { flex: spec.flex, minWidth: spec.width ?? minWidth };
  if (spec.width !== null) return { width: spec.width, minWidth: Math.min(spec.width, 60) };
  return grows ? { flex: 1, minWidth } : { width, minWidth };
}

function definition(spec: ColumnSpec, sort: readonly SortSpec[]): ColDef<Row> {
  const right = spec.align === null ? RIGHT.has(spec.kind) : spec.align === "right";
  const place = sort.findIndex(([key]) => key === spec.key);
  const renderer = rendererFor(spec);
  const definition: ColDef<Row> = {
    colId: spec.key,
    field: spec.key,
    headerName: spec.title,
    sortable: spec.sortable,
    comparator: comparator(spec),
    valueFormatter: ({ data }) => (data ? words(spec, data) : ""),
    headerClass: right ? "on-the-right" : "",
    cellClass: right ? "on-the-right" : "",
    // Oldest, longest and largest are what one looks for in numbers; texts start at A.
    sortingOrder: TEXT.has(spec.kind) ? ["asc", "desc", null] : ["desc", "asc", null],
    ...widthOf(spec),
  };
  if (renderer) {
    definition.cellRenderer = renderer;
    // Lists are new objects in each message, and words of a state may change while the state stays.
    definition.equals = () => false;
  }
  if (place >= 0) {
    definition.sort = sort[place]![1] === "ascending" ? "asc" : "desc";
    definition.sortIndex = place;
  }
  return definition;
}

export function definitions(specs: readonly ColumnSpec[], sort: readonly SortSpec[]): ColDef<Row>[] {
  return specs.map((spec) => definition(spec, sort));
}

/** Whether a column is shown: where it is narrow some are left out, extra ones until they are asked for. */
export function shown(spec: Pick<ColumnSpec, "hide_narrow" | "extra">, narrow: boolean, all: boolean): boolean {
  return all || !(spec.extra || (narrow && spec.hide_narrow));
}

const UNSEARCHED: ReadonlySet<Kind> = new Set(["time", "since", "duration", "meter", "percent"]);

/** What the filter looks through: the words that a person sees, times aside, for they change while one types. */
export function searchText(specs: readonly ColumnSpec[], row: Row): string {
  return specs
    .filter((spec) => !UNSEARCHED.has(spec.kind))
    .map((spec) => (spec.kind === "devices" ? titles(row[spec.key]) : words(spec, row)))
    .join("\n")
    .toLowerCase();
}

const titles = (value: Value | undefined): string =>
  Array.isArray(value) ? value.map((plot) => (plot as Value[])[0]).join(" ") : "";
