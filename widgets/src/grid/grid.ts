/** The grid: rows from the model's table, drawn by AG Grid; selection, sorting and filter kept over every change. */
import type { AnyModel } from "@anywidget/types";
import { createGrid, type CellKeyDownEvent, type ColumnState, type FullWidthCellKeyDownEvent, type GridApi, type GridOptions } from "ag-grid-community";
import { startClock } from "../clock";
import { element, root, setText } from "../dom";
import type { Part } from "../loader";
import { Table, type Change, type Row } from "../table";
import { onTheme, wear } from "../theme";
import type { FromKernel, GridTraits, SortSpec, ToKernel } from "../wire";
import { definitions, searchText, shown } from "./columns";
import css from "./grid.css";
import { always, rowClasses, selectable } from "./options";
import { HEADER, ROW } from "./theme";
import { Toolbar } from "./toolbar";

/** Narrower than this, columns that may be left out are. */
const NARROW = 640;

type Model = AnyModel<GridTraits>;

/** What one model keeps for all its views, and from one view to the next. */
interface Opened {
  table: Table;
  columns?: ColumnState[];
}

function open(model: AnyModel): Opened {
  const send = (message: ToKernel): void => model.send(message);
  const table = new Table(() => send({ kind: "ready" }));
  model.on("msg:custom", (message: FromKernel, buffers: DataView[]) => table.receive(message, buffers));
  send({ kind: "ready" });
  return { table };
}

class View {
  private readonly root: HTMLElement;
  private readonly body = element("div", { class: "rows" });
  private readonly notice = element("div", { class: "notice", role: "status" });
  private readonly problem = element("p", { class: "problem", role: "alert" });
  private readonly toolbar: Toolbar;
  private readonly api: GridApi<Row>;
  private readonly searched = new WeakMap<Row, string>();
  private needles: string[] = [];
  private readonly endings: (() => void)[] = [];

  constructor(
    private readonly model: Model,
    private readonly opened: Opened,
    el: HTMLElement,
  ) {
    wear("grid", css);
    this.root = root(el, "grid");
    this.toolbar = this.makeToolbar();
    this.root.append(this.toolbar.element, this.problem, this.body, this.notice);
    this.setNeedles(model.get("filter_text"));
    this.api = createGrid<Row>(this.body, this.options(), {});
    this.restore();
    this.follow();
  }

  close(): void {
    this.opened.columns = this.api.getColumnState();
    for (const end of this.endings) end();
    cancelAnimationFrame(this.fitting);
    this.toolbar.close();
    this.api.destroy();
  }

  private makeToolbar(): Toolbar {
    const options = {
      title: this.model.get("title"),
      hint: this.model.get("filter_hint"),
      text: this.model.get("filter_text"),
      actions: this.model.get("actions"),
      onFilter: (text: string) => this.filter(text),
      onAction: (action: string) => this.send({ kind: "action", action, ids: [...this.opened.table.selected] }),
      onColumns: (all: boolean) => {
        this.model.set("all_columns", all);
        this.model.save_changes();
      },
    };
    const extra = this.model.get("columns").some((spec) => spec.extra);
    return new Toolbar(options, this.model.get("filterable"), extra);
  }

  private options(): GridOptions<Row> {
    const { table } = this.opened;
    return {
      ...always,
      ...selectable(this.model.get("selection")),
      columnDefs: definitions(this.model.get("columns"), this.model.get("sort")),
      rowClassRules: rowClasses(this.model.get("columns"), this.model.get("row_tone")),
      rowData: table.known ? [...table.rows.values()] : [],
      isExternalFilterPresent: () => this.needles.length > 0,
      doesExternalFilterPass: ({ data }) => this.passes(data!),
      onSelectionChanged: () => this.selectionChanged(),
      onSortChanged: () => this.sortChanged(),
      onModelUpdated: () => this.refreshCounts(),
      onGridSizeChanged: () => this.fitSoon(),
      onDisplayedColumnsChanged: () => this.fitSoon(),
      onColumnResized: () => this.fitSoon(),
      onCellKeyDown: (event) => this.keyPressed(event),
      onRowDoubleClicked: ({ data }) => data && this.send({ kind: "activate", id: data.id }),
      onCellMouseOver: ({ event, data, colDef }) => this.nameOnHover(event as MouseEvent, data, colDef.colId),
    };
  }

  /** Puts a new view where an earlier one was: selection, widths of columns. */
  private restore(): void {
    if (this.opened.columns) {
      const state = this.opened.columns.map(({ colId, width, flex }) => ({ colId, width: width ?? null, flex: flex ?? null }));
      this.api.applyColumnState({ state: state as ColumnState[] });
    }
    this.showSelection();
    this.describe();
  }

  private follow(): void {
    const on = (name: string, listener: () => void): void => {
      this.model.on(`change:${name}`, listener);
      this.endings.push(() => this.model.off(`change:${name}` as never, listener));
    };
    on("filter_text", () => this.filterSet());
    on("sort", () => this.sortSet());
    on("all_columns", () => this.fit());
    for (const name of ["summary", "noun", "empty", "withheld"]) on(name, () => this.refreshCounts());
    for (const name of ["title", "problem"]) on(name, () => this.describe());
    const resized = new ResizeObserver(() => this.fit());
    resized.observe(this.root);
    this.endings.push(
      this.opened.table.listen((change) => this.changed(change)),
      startClock(this.root),
      onTheme(() => this.api.resetRowHeights()),
      () => resized.disconnect(),
    );
  }

  private send(message: ToKernel): void {
    this.model.send(message);
  }

  private changed(change: Change): void {
    if (change.kind === "selected") {
      this.showSelection();
      return;
    }
    if (change.kind === "replaced") {
      this.api.setGridOption("rowData", [...this.opened.table.rows.values()]);
    } else {
      this.api.applyTransaction({ add: change.added, update: change.updated, remove: change.removed });
    }
    // AG Grid keeps what is selected by the ids of rows, also a click of which it has not told yet.
    if (change.kind === "replaced" && change.first) this.showSelection();
    else this.refreshCounts();
  }

  private showSelection(): void {
    const { selected } = this.opened.table;
    this.api.deselectAll();
    const nodes = [...selected].map((id) => this.api.getRowNode(id)).filter((node) => node !== undefined);
    if (nodes.length) this.api.setNodesSelected({ nodes, newValue: true });
    this.refreshCounts();
  }

  private selectionChanged(): void {
    const ids = this.api.getSelectedNodes().map((node) => node.id!);
    const { selected } = this.opened.table;
    // AG Grid tells later, also of what we have chosen in it: that is nobody's click.
    if (ids.length === selected.size && ids.every((id) => selected.has(id))) return;
    this.opened.table.selected = new Set(ids);
    this.send({ kind: "selection", ids });
    this.refreshCounts();
  }

  private sortChanged(): void {
    const sort = this.api
      .getColumnState()
      .filter((column) => column.sort)
      .sort((a, b) => (a.sortIndex ?? 0) - (b.sortIndex ?? 0))
      .map((column): SortSpec => [column.colId, column.sort === "asc" ? "ascending" : "descending"]);
    if (JSON.stringify(sort) === JSON.stringify(this.model.get("sort"))) return;
    this.model.set("sort", sort);
    this.model.save_changes();
  }

  /** The order as set from the kernel, or by another view. */
  private sortSet(): void {
    const state = this.model.get("sort").map(([colId, direction], sortIndex): ColumnState => {
      return { colId, sort: direction === "ascending" ? "asc" : "desc", sortIndex };
    });
    this.api.applyColumnState({ state, defaultState: { sort: null } });
  }

  private setNeedles(text: string): void {
    this.needles = text.toLowerCase().split(/\s+/).filter(Boolean);
  }

  private filter(text: string): void {
    this.model.set("filter_text", text);
    this.model.save_changes();
  }

  private filterSet(): void {
    this.toolbar.setFilter(this.model.get("filter_text"));
    this.setNeedles(this.model.get("filter_text"));
    this.api.onFilterChanged();
  }

  private passes(row: Row): boolean {
    let text = this.searched.get(row);
    if (text === undefined) {
      text = searchText(this.model.get("columns"), row);
      this.searched.set(row, text);
    }
    return this.needles.every((needle) => text.includes(needle));
  }

  private keyPressed({ event, data }: CellKeyDownEvent<Row> | FullWidthCellKeyDownEvent<Row>): void {
    if ((event as KeyboardEvent).key === "Enter" && data) this.send({ kind: "activate", id: data.id });
  }

  /** A text that is cut off, or a column with words of its own for it, says all of it on hover. */
  private nameOnHover(event: MouseEvent, row: Row | undefined, key: string | undefined): void {
    const cell = (event.target as Element | null)?.closest<HTMLElement>(".ag-cell");
    const spec = this.model.get("columns").find((column) => column.key === key);
    if (!cell || !row || !spec) return;
    const own = spec.hover === null ? null : row[spec.hover];
    if (own) cell.title = String(own);
    else if (spec.kind === "text") cell.title = cell.scrollWidth > cell.clientWidth ? (cell.textContent ?? "") : "";
  }

  private refreshCounts(): void {
    // AG Grid tells of its first rows while it is still being made.
    if (!this.api) return;
    const { table } = this.opened;
    const displayed = this.api.getDisplayedRowCount();
    const { model } = this;
    const counts = { shown: displayed, total: table.rows.size, selected: table.selected.size, noun: model.get("noun"), summary: model.get("summary") };
    this.toolbar.show(counts, model.get("withheld"));
    this.toolbar.element.classList.toggle("bare", !table.known);
    setText(this.notice, displayed ? "" : this.nothing(table));
    this.notice.hidden = displayed > 0;
    this.fit();
  }

  private nothing(table: Table): string {
    if (!table.known) return "Loading…";
    const text = this.model.get("filter_text");
    return table.rows.size ? `Nothing matches “${text}”.` : this.model.get("empty");
  }

  private describe(): void {
    this.body.querySelector("[role=grid], [role=treegrid]")?.setAttribute("aria-label", this.model.get("title"));
    const problem = this.model.get("problem");
    setText(this.problem, problem);
    this.problem.hidden = !problem;
  }

  /** Once the widths of columns are settled. */
  private fitSoon(): void {
    cancelAnimationFrame(this.fitting);
    this.fitting = requestAnimationFrame(() => this.fit());
  }
  private fitting = 0;

  /** As tall as its rows, up to the limit; columns that may be left out are, where it is narrow. */
  private fit(): void {
    if (!this.api) return;
    const narrow = this.root.clientWidth > 0 && this.root.clientWidth < NARROW;
    const rows = Math.max(this.api.getDisplayedRowCount(), this.notice.hidden ? 1 : 2);
    const wanted = HEADER + rows * ROW + this.scrollbarHeight() + 3;
    this.body.style.height = `${Math.min(wanted, this.model.get("max_height"))}px`;
    this.root.classList.toggle("narrow", narrow);
    this.showColumns(narrow, this.model.get("all_columns"));
  }

  private showColumns(narrow: boolean, all: boolean): void {
    const wanted = `${narrow} ${all}`;
    if (wanted === this.columnsShown) return;
    this.columnsShown = wanted;
    this.toolbar.showColumns(all);
    for (const visible of [true, false]) {
      const keys = this.model.get("columns").filter((spec) => shown(spec, narrow, all) === visible).map((spec) => spec.key);
      this.api.setColumnsVisible(keys, visible);
    }
  }
  private columnsShown = "";

  /** AG Grid shows its scrollbar after it has told of its columns, so the columns themselves are asked. */
  private scrollbarHeight(): number {
    const width = this.api.getAllDisplayedColumns().reduce((sum, column) => sum + column.getActualWidth(), 0);
    if (width <= this.body.clientWidth) return 0;
    return this.body.querySelector<HTMLElement>(".ag-body-horizontal-scroll")?.offsetHeight ?? 0;
  }
}

export const grid: Part = {
  open,
  render(model, opened, el) {
    const view = new View(model as Model, opened as Opened, el);
    return () => view.close();
  },
};
