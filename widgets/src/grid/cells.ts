/** What stands in a cell: words for every kind, and drawings for those that are more than words. */
import type { ICellRendererComp, ICellRendererParams } from "ag-grid-community";
import { forget, keepTrue, wordsFor, type Ticking } from "../clock";
import type { Value } from "../columnar";
import { element, setText } from "../dom";
import { bar, square, STATE_WORDS } from "../plot";
import type { Row } from "../table";
import type { CellPlot, ColumnSpec, Tone } from "../wire";
import { bytes, duration, exact, money, NONE, number } from "../words";

/** Past this many squares a cell shows a bar; past this many a count says what there is no room to name. */
const SQUARES = 8;
const NAMED = 4;

type Used = [used: number, limit: number | null];

export function stateOf(spec: ColumnSpec, row: Row): { word: string; tone: Tone } {
  const value = row[spec.key];
  const known = spec.states[String(value)] ?? { word: String(value ?? NONE), tone: "plain" };
  const words = spec.words === null ? null : row[spec.words];
  return words ? { word: String(words), tone: known.tone } : known;
}

/** One device by its name, several of one node by the node: "dgx-2 × 4". */
export function devicesWords(plots: readonly CellPlot[]): string {
  if (plots.length === 1) return plots[0]![0];
  const nodes = new Set(plots.map(([title]) => title.split(" ")[0]));
  return nodes.size === 1 ? `${[...nodes][0]} × ${plots.length}` : `${plots.length} devices`;
}

const withUnit = (text: string, unit: string): string => (unit ? `${text} ${unit}` : text);

function usedWords([used, limit]: Used, spec: ColumnSpec): string {
  const of = limit === null ? "no limit" : `of ${number(limit, spec.decimals)}`;
  return withUnit(`${number(used, spec.decimals)}${limit === null ? ", " : " "}${of}`, spec.unit);
}

/** The cell's content in words: shown, searched by the filter, read by screen readers. */
export function words(spec: ColumnSpec, row: Row): string {
  const value = row[spec.key] ?? null;
  if (spec.kind === "state") return stateOf(spec, row).word;
  if (value === null || value === "") return NONE;
  switch (spec.kind) {
    case "number":
      return withUnit(number(value as number, spec.decimals), spec.unit);
    case "percent":
      return `${number(value as number, spec.decimals ?? 0)} %`;
    case "bytes":
      return bytes(value as number);
    case "money":
      return money(value as number, spec.unit, spec.decimals);
    case "duration":
      return duration(value as number);
    case "time":
    case "since":
      return wordsFor(spec.kind, value as number);
    case "devices":
      return (value as Value[]).length ? devicesWords(value as unknown as CellPlot[]) : NONE;
    case "meter":
      return usedWords(value as Used, spec);
    case "yesno":
      return value ? "Yes" : "No";
    case "text":
      return String(value);
  }
}

type Draw = (target: HTMLElement, row: Row, spec: ColumnSpec) => void;

function drawState(target: HTMLElement, row: Row, spec: ColumnSpec): void {
  const { word, tone } = stateOf(spec, row);
  target.className = word === NONE ? "" : `tag ${tone}`;
  setText(target, word);
}

function drawTime(target: HTMLElement, row: Row, spec: ColumnSpec): void {
  const then = row[spec.key];
  if (typeof then !== "number") {
    forget(target);
    target.removeAttribute("title");
    setText(target, NONE);
    return;
  }
  target.title = exact(then);
  keepTrue(target, spec.kind as Ticking, then);
}

function drawDevices(target: HTMLElement, row: Row, spec: ColumnSpec): void {
  const value = (row[spec.key] ?? []) as unknown as CellPlot[];
  const looks = value.map(([title, state, colour, borrowed]) => ({ title, state, colour, borrowed: borrowed === 1 }));
  target.className = "plots";
  target.title = looks.map((plot) => `${plot.title}, ${STATE_WORDS[plot.state]}${plot.borrowed ? ", borrowed" : ""}`).join("\n");
  if (!looks.length) {
    target.replaceChildren(NONE);
    return;
  }
  const drawn = looks.length > SQUARES ? [bar(looks)] : looks.map(square);
  for (const piece of drawn) piece.setAttribute("aria-hidden", "true");
  target.replaceChildren(...drawn, element("span", { class: "plots-words" }, value.length > NAMED ? `× ${value.length}` : devicesWords(value)));
}

function drawMeter(target: HTMLElement, row: Row, spec: ColumnSpec): void {
  const value = row[spec.key] as Used | null | undefined;
  if (!value) {
    target.className = "";
    target.replaceChildren(NONE);
    return;
  }
  const [used, limit] = value;
  const part = limit === null ? 0 : limit === 0 ? Number(used > 0) : used / limit;
  target.className = `cell-meter ${part >= 1 ? "full" : part >= 0.8 ? "near" : ""}`;
  const fill = element("s", { style: `width: ${Math.min(100, part * 100)}%` });
  const track = element("span", { class: "track", "aria-hidden": "true" }, fill);
  target.replaceChildren(element("span", {}, usedWords(value, spec)), ...(limit === null ? [] : [track]));
}

const DRAWINGS: Partial<Record<ColumnSpec["kind"], { tag: "span" | "time"; draw: Draw }>> = {
  state: { tag: "span", draw: drawState },
  time: { tag: "time", draw: drawTime },
  since: { tag: "time", draw: drawTime },
  devices: { tag: "span", draw: drawDevices },
  meter: { tag: "span", draw: drawMeter },
};

/** A renderer class for the kinds that are drawn; undefined for those that are only words. */
export function rendererFor(spec: ColumnSpec): (new () => ICellRendererComp<Row>) | undefined {
  const drawing = DRAWINGS[spec.kind];
  if (!drawing) return undefined;
  const { tag, draw } = drawing;
  return class implements ICellRendererComp<Row> {
    private readonly target = element(tag);

    init(params: ICellRendererParams<Row>): void {
      this.refresh(params);
    }

    getGui(): HTMLElement {
      return this.target;
    }

    refresh(params: ICellRendererParams<Row>): boolean {
      if (params.data) draw(this.target, params.data, spec);
      return true;
    }
  };
}
