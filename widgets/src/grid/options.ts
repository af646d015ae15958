/** What every grid asks of AG Grid: the parts of it that are bundled, and options that no model changes. */
import {
  CellStyleModule,
  ClientSideRowModelApiModule,
  ClientSideRowModelModule,
  ColumnApiModule,
  EventApiModule,
  ExternalFilterModule,
  ModuleRegistry,
  RenderApiModule,
  RowApiModule,
  RowSelectionModule,
  RowStyleModule,
  type GridOptions,
  type RowClassRules,
} from "ag-grid-community";
import type { Row } from "../table";
import type { ColumnSpec, GridTraits, Tone } from "../wire";
import { stateOf } from "./cells";
import { theme } from "./theme";

// Only what is named here is in the script: the whole library would be three times as large.
ModuleRegistry.registerModules([
  CellStyleModule,
  ClientSideRowModelApiModule,
  ClientSideRowModelModule,
  ColumnApiModule,
  EventApiModule,
  ExternalFilterModule,
  RenderApiModule,
  RowApiModule,
  RowSelectionModule,
  RowStyleModule,
]);

export const always: GridOptions<Row> = {
  theme,
  defaultColDef: { resizable: true, suppressHeaderMenuButton: true, suppressMovable: true },
  getRowId: ({ data }) => data.id,
  animateRows: false,
  // A delta sorts its own rows in, not all of them again.
  deltaSort: true,
  suppressColumnMoveAnimation: true,
  suppressNoRowsOverlay: true,
  // Screen readers read rows in the order in which they stand.
  ensureDomOrder: true,
};

export function selectable(selection: GridTraits["selection"]): GridOptions<Row> {
  switch (selection) {
    case "none":
      return {};
    case "one":
      return { rowSelection: { mode: "singleRow", checkboxes: false, enableClickSelection: true } };
    case "many":
      return {
        rowSelection: { mode: "multiRow", checkboxes: true, headerCheckbox: true, selectAll: "filtered" },
        selectionColumnDef: { width: 46, minWidth: 46, maxWidth: 46, resizable: false, suppressHeaderMenuButton: true },
      };
  }
}

const MARKED: readonly Tone[] = ["bad", "warn", "quiet"];

/** Marks rows by the tone of their state in the column that is named for it. */
export function rowClasses(columns: readonly ColumnSpec[], key: string): RowClassRules<Row> {
  const spec = columns.find((column) => column.key === key);
  if (!spec) return {};
  return Object.fromEntries(
    MARKED.map((tone) => [`row-${tone}`, ({ data }) => data !== undefined && stateOf(spec, data).tone === tone]),
  ) as RowClassRules<Row>;
}
