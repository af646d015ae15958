/** Every message between the widgets and the kernel, and the small state that is synced. Its twin is transport.py. */

/** What the kernel may write as a number: little-endian, NaN where a row has none. */
export type NumberType = "f8" | "i4" | "i2" | "i1" | "u1" | "u2" | "u4";

/** One column of a payload. Numbers that name a buffer are indexes into the message's buffers. */
export type Field = {
  key: string;
  /** Buffer of u4 positions: the rows that these values belong to. Left out: every row, in order. */
  at?: number;
} & (
  | { as: "numbers"; type: NumberType; buffer: number }
  /** Few distinct texts: a JSON list of them, and a code for each row (0 is none, 1 the first text). */
  | { as: "words"; words: number; type: NumberType; buffer: number }
  /** A JSON list with one value for each row. */
  | { as: "list"; buffer: number }
);

export interface Snapshot {
  kind: "snapshot";
  revision: number;
  count: number;
  /** Buffer with a JSON list of ids. Charts have none. */
  ids?: number;
  fields: Field[];
  selected?: string[];
}

export interface Delta {
  kind: "delta";
  /** The revision that this changes. If the script holds another it asks for a snapshot. */
  base: number;
  revision: number;
  count: number;
  ids: number;
  fields: Field[];
  removed: string[];
}

export interface Append {
  kind: "append";
  base: number;
  revision: number;
  count: number;
  fields: Field[];
}

export interface Select {
  kind: "select";
  ids: string[];
}

/** The shared script, gzipped, in buffer 0: it travels once a page, however many widgets ask. */
export interface Script {
  kind: "script";
  digest: string;
}

export type FromKernel = Snapshot | Delta | Append | Select | Script;

export type ToKernel =
  | { kind: "script" }
  /** Asks for a snapshot: the page was loaded, or a delta did not fit. */
  | { kind: "ready" }
  | { kind: "selection"; ids: string[] }
  | { kind: "activate"; id: string }
  | { kind: "action"; action: string; ids: string[] }
  /** A link of the rail, or one to a panel anywhere: what it is about is the panel's to understand. */
  | { kind: "go"; panel: string; about: string }
  /** The page is being left for good. */
  | { kind: "left" };

export type Tone = "ok" | "warn" | "bad" | "info" | "plain" | "quiet";

export type Kind =
  | "text"
  | "number"
  | "percent"
  | "bytes"
  | "money"
  | "duration"
  | "time"
  | "since"
  | "state"
  | "devices"
  | "meter"
  | "yesno";

export interface ColumnSpec {
  key: string;
  title: string;
  kind: Kind;
  width: number | null;
  flex: number | null;
  align: "left" | "right" | null;
  hover: string | null;
  words: string | null;
  states: Record<string, { word: string; tone: Tone }>;
  unit: string;
  decimals: number | null;
  hide_narrow: boolean;
  extra: boolean;
  sortable: boolean;
}

export interface ActionSpec {
  key: string;
  label: string;
  many: string;
  tone: "plain" | "main" | "risk";
  needs: "none" | "one" | "some";
}

export type SortSpec = [key: string, direction: "ascending" | "descending"];

/** Synced traits: small, and none of them grows with the rows. */
export interface Traits {
  part: "grid" | "plots" | "chart" | "rail" | "head" | "arrival";
  digest: string;
  title: string;
  empty: string;
  problem: string;
}

export interface GridTraits extends Traits {
  columns: ColumnSpec[];
  actions: ActionSpec[];
  withheld: string[];
  noun: [one: string, many: string];
  summary: string;
  filter_hint: string;
  filter_text: string;
  filterable: boolean;
  selection: "many" | "one" | "none";
  sort: SortSpec[];
  row_tone: string;
  all_columns: boolean;
  max_height: number;
}

export interface PlotsTraits extends Traits {
  selectable: boolean;
  legend: boolean;
}

export interface SeriesSpec {
  key: string;
  title: string;
  kind: "line" | "steps" | "area" | "stacked" | "limit";
  colour: string;
}

export interface ChartTraits extends Traits {
  series: SeriesSpec[];
  unit: string;
  height: number;
  keep: number;
}

export interface RailEntry {
  key: string;
  title: string;
  section: string;
  count: number | null;
  /** What is counted, in words. */
  words: string;
  tone: "plain" | "warn" | "bad";
}

export interface RailTraits extends Traits {
  entries: RailEntry[];
  current: string;
  /** Lines below the entries: version, mode, whom to trust. */
  foot: string[];
}

export interface ArrivalTraits extends Traits {
  /** Whether the form has a field to begin with, or only buttons. */
  fields: boolean;
}

export interface HeadTraits extends Traits {
  state: "loading" | "live" | "away";
  /** Seconds since 1970; 0: not yet. */
  at: number;
  said: string;
  tone: "ok" | "warn" | "bad";
  trouble: string;
}

export type PlotState = "held" | "idle" | "free" | "out" | "unhealthy" | "wanted";

/** A plot in a grid's cell: title, state, colour (0 grey, 1-10 the palette), borrowed. */
export type CellPlot = [title: string, state: PlotState, colour: number, borrowed: 0 | 1];
