/** Above the rows: a filter, how many rows it leaves, and what can be done with the selected ones. */
import { element, setText } from "../dom";
import type { ActionSpec } from "../wire";
import { number, plural } from "../words";

const TYPING = 120;

export interface Counts {
  shown: number;
  total: number;
  selected: number;
  noun: [string, string];
  summary: string;
}

export interface ToolbarOptions {
  title: string;
  hint: string;
  text: string;
  actions: readonly ActionSpec[];
  onFilter(text: string): void;
  onAction(key: string): void;
  onColumns(all: boolean): void;
}

/** Whether a button has a place: not where it makes no sense for what is selected, nor where there is no row to select. */
export function offered(action: ActionSpec, total: number, withheld: readonly string[]): boolean {
  return !withheld.includes(action.key) && (total > 0 || action.needs === "none");
}

/** "37 running · 128 of 10,000 servers · 3 selected" */
export function countWords({ shown, total, selected, noun, summary }: Counts): string {
  const rows = shown === total ? plural(total, noun) : `${number(shown, 0)} of ${plural(total, noun)}`;
  return [summary, rows, selected ? `${number(selected, 0)} selected` : ""].filter(Boolean).join(" · ");
}

function allowed(action: ActionSpec, selected: number): boolean {
  return action.needs === "none" || (action.needs === "one" ? selected === 1 : selected > 0);
}

export class Toolbar {
  readonly element: HTMLElement;
  private readonly input: HTMLInputElement;
  private readonly count = element("span", { class: "count num", role: "status" });
  private readonly buttons: [ActionSpec, HTMLButtonElement][];
  private all = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  private readonly columns = element("button", { type: "button", class: "button plain" }, "More columns");

  /** `extra`: there are columns that are shown only where somebody asks for them. */
  constructor(options: ToolbarOptions, filterable: boolean, extra: boolean) {
    const hint = options.hint || `Filter ${options.title.toLowerCase()}`;
    this.input = element("input", { type: "search", placeholder: hint, "aria-label": hint, autocomplete: "off", spellcheck: "false" });
    this.input.value = options.text;
    this.input.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => options.onFilter(this.input.value), TYPING);
    });
    this.buttons = options.actions.map((action) => {
      const button = element("button", { type: "button", class: `button ${action.tone}` }, action.label);
      button.addEventListener("click", () => options.onAction(action.key));
      return [action, button];
    });
    this.columns.addEventListener("click", () => options.onColumns(!this.all));
    const acts = element("span", { class: "acts" }, ...(extra ? [this.columns] : []), ...this.buttons.map(([, button]) => button));
    this.element = element("div", { class: "toolbar" }, ...(filterable ? [this.input] : []), this.count, acts);
  }

  /** The filter as set from the kernel; what is being typed is left alone. */
  setFilter(text: string): void {
    if (document.activeElement !== this.input && this.input.value !== text) this.input.value = text;
  }

  /** Whether all columns are shown. */
  showColumns(all: boolean): void {
    this.all = all;
    setText(this.columns, all ? "Fewer columns" : "More columns");
  }

  clear(): void {
    this.input.value = "";
    this.input.focus();
  }

  /** `withheld`: keys of actions that make no sense for what is selected. */
  show(counts: Counts, withheld: readonly string[]): void {
    setText(this.count, countWords(counts));
    for (const [action, button] of this.buttons) {
      const open = allowed(action, counts.selected);
      button.disabled = !open;
      button.hidden = !offered(action, counts.total, withheld);
      button.title = open ? "" : action.needs === "one" ? `Select one ${counts.noun[0]} first` : `Select ${counts.noun[1]} first`;
      const many = action.many && counts.selected > 0;
      setText(button, many ? action.many.replace("{n}", number(counts.selected, 0)) : action.label);
    }
  }

  close(): void {
    clearTimeout(this.timer);
  }
}
