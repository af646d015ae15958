/** Device plots that can be chosen: squares by node or pool, the mouse and the keyboard, a legend in words. */
import type { AnyModel } from "@anywidget/types";
import { element, root, setText } from "../dom";
import type { Part } from "../loader";
import { paint } from "../plot";
import { Table, type Change } from "../table";
import { wear } from "../theme";
import type { FromKernel, PlotsTraits, ToKernel } from "../wire";
import { lead, type Place } from "./keyboard";
import css from "./plots.css";
import { Section } from "./section";
import { device, heldWords, legend, type Device, type LegendEntry } from "./words";

type Model = AnyModel<PlotsTraits>;

interface Opened {
  table: Table;
  expanded: Set<string>;
}

function open(model: AnyModel): Opened {
  const send = (message: ToKernel): void => model.send(message);
  const table = new Table(() => send({ kind: "ready" }));
  model.on("msg:custom", (message: FromKernel, buffers: DataView[]) => table.receive(message, buffers));
  send({ kind: "ready" });
  return { table, expanded: new Set() };
}

class View {
  private readonly root: HTMLElement;
  private readonly lines = element("div", { class: "lines", role: "group" });
  private readonly foot = element("ul", { class: "legend small quiet num" });
  private readonly status = element("p", { class: "status small quiet", role: "status" });
  private readonly problem = element("p", { class: "problem", role: "alert" });
  private sections: Section[] = [];
  /** Where Tab leads to; where a selection with Shift began. */
  private current: string | null = null;
  private anchor: string | null = null;
  private readonly endings: (() => void)[] = [];

  constructor(
    private readonly model: Model,
    private readonly opened: Opened,
    el: HTMLElement,
  ) {
    wear("plots", css);
    this.root = root(el, "plots");
    this.root.append(this.problem, this.lines, this.foot, this.status);
    this.follow();
    this.draw();
    this.describe();
  }

  close(): void {
    for (const end of this.endings) end();
  }

  private follow(): void {
    const on = (name: keyof PlotsTraits, listener: () => void): void => {
      this.model.on(`change:${name}`, listener);
      this.endings.push(() => this.model.off(`change:${name}`, listener));
    };
    on("title", () => this.describe());
    on("problem", () => this.describe());
    on("empty", () => this.draw());
    this.endings.push(this.opened.table.listen((change) => this.changed(change)));
    if (!this.model.get("selectable")) return;
    this.lines.addEventListener("click", (event) => this.clicked(event));
    this.lines.addEventListener("dblclick", (event) => this.activate(this.idOf(event)));
    this.lines.addEventListener("keydown", (event) => this.pressed(event));
    this.lines.addEventListener("focusin", (event) => this.focused(this.idOf(event)));
  }

  private describe(): void {
    this.lines.setAttribute("aria-label", this.model.get("title"));
    setText(this.problem, this.model.get("problem"));
    this.problem.hidden = !this.model.get("problem");
  }

  private devices(): Device[] {
    return [...this.opened.table.rows.values()].map(device);
  }

  private changed(change: Change): void {
    const moved = change.kind === "changed" && change.updated.some((row) => !this.sectionNamed(device(row).section)?.squares.has(row.id));
    if (change.kind === "replaced" || moved || (change.kind === "changed" && (change.added.length || change.removed.length))) this.draw();
    else this.repaint();
  }

  private sectionNamed(name: string): Section | undefined {
    return this.sections.find((section) => section.name === name);
  }

  private bySection(devices: readonly Device[]): Map<string, Device[]> {
    const lines = new Map<string, Device[]>();
    for (const each of devices) lines.set(each.section, [...(lines.get(each.section) ?? []), each]);
    return lines;
  }

  /** Everything anew; focus goes back to the square that had it. */
  private draw(): void {
    const focused = this.lines.contains(document.activeElement) ? this.current : null;
    const { expanded, table } = this.opened;
    this.sections = [...this.bySection(this.devices())].map(
      ([name, devices]) =>
        new Section(name, devices, {
          selectable: this.model.get("selectable"),
          expanded: expanded.has(name),
          isSelected: (id) => table.selected.has(id),
          onExpand: (open) => this.expand(name, open),
        }),
    );
    const nothing = table.known ? this.model.get("empty") : "Loading…";
    this.lines.replaceChildren(...(this.sections.length ? this.sections.map(({ element: line }) => line) : [element("p", { class: "nothing quiet" }, nothing)]));
    this.placeTabStop();
    this.drawFoot();
    if (focused !== null) this.square(focused)?.focus();
  }

  private repaint(): void {
    const lines = this.bySection(this.devices());
    for (const section of this.sections) section.update(lines.get(section.name) ?? []);
    this.drawFoot();
  }

  private drawFoot(): void {
    const devices = this.devices();
    const { size } = this.opened.table.selected;
    this.foot.hidden = !this.model.get("legend") || !devices.length;
    this.foot.replaceChildren(...legend(devices).map(legendItem));
    const selected = size ? `${size} selected` : "";
    setText(this.status, this.model.get("selectable") && devices.length ? [heldWords(devices), selected].filter(Boolean).join(" · ") : "");
    this.status.hidden = !this.status.textContent;
  }

  private expand(name: string, open: boolean): void {
    if (open) this.opened.expanded.add(name);
    else this.opened.expanded.delete(name);
    this.draw();
    const button = this.sectionNamed(name)?.element.querySelector<HTMLElement>("button.more");
    button?.focus();
  }

  private square(id: string): HTMLElement | undefined {
    return this.sections.map((section) => section.squares.get(id)).find((found) => found !== undefined);
  }

  private idOf(event: Event): string | null {
    return (event.target as Element | null)?.closest<HTMLElement>("[role=option]")?.dataset["id"] ?? null;
  }

  private placeTabStop(): void {
    if (this.current === null || !this.square(this.current)) this.current = this.order()[0] ?? null;
    if (this.current !== null && this.model.get("selectable")) this.square(this.current)!.tabIndex = 0;
  }

  private focused(id: string | null): void {
    if (id === null || id === this.current) return;
    if (this.current !== null) this.square(this.current)?.setAttribute("tabindex", "-1");
    this.current = id;
    this.square(id)!.tabIndex = 0;
  }

  private order(): string[] {
    return this.sections.flatMap((section) => [...section.squares.keys()]);
  }

  private select(ids: Iterable<string>): void {
    this.opened.table.selected = new Set(ids);
    this.model.send({ kind: "selection", ids: [...this.opened.table.selected] } satisfies ToKernel);
    this.repaint();
  }

  private toggle(id: string): void {
    const selected = new Set(this.opened.table.selected);
    if (!selected.delete(id)) selected.add(id);
    this.anchor = id;
    this.select(selected);
  }

  private extend(to: string): void {
    const order = this.order();
    const [from, until] = [order.indexOf(this.anchor ?? to), order.indexOf(to)].sort((a, b) => a - b) as [number, number];
    this.select([...this.opened.table.selected, ...order.slice(Math.max(0, from), until + 1)]);
  }

  private clicked(event: MouseEvent): void {
    const id = this.idOf(event);
    if (id === null) return;
    this.square(id)!.focus();
    if (event.shiftKey) this.extend(id);
    else this.toggle(id);
  }

  private activate(id: string | null): void {
    if (id !== null) this.model.send({ kind: "activate", id } satisfies ToKernel);
  }

  private pressed(event: KeyboardEvent): void {
    const id = this.idOf(event);
    if (id === null) return;
    if (event.key === " ") this.toggle(id);
    else if (event.key === "Enter") this.activate(id);
    else if (event.key === "Escape" && this.opened.table.selected.size) this.select([]);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) this.select(this.order());
    else if (!this.move(event, id)) return;
    event.preventDefault();
  }

  private move(event: KeyboardEvent, id: string): boolean {
    const to = lead(event.key, this.placeOf(id), this.sections.map(({ squares }) => squares.size));
    if (!to) return false;
    const next = [...this.sections[to.line]!.squares.keys()][to.index]!;
    this.square(next)!.focus();
    if (event.shiftKey) {
      this.anchor ??= id;
      this.extend(next);
    } else this.anchor = next;
    return true;
  }

  private placeOf(id: string): Place {
    const line = this.sections.findIndex(({ squares }) => squares.has(id));
    return { line, index: [...this.sections[line]!.squares.keys()].indexOf(id) };
  }
}

function legendItem({ state, colour, borrowed, words }: LegendEntry): HTMLElement {
  const mark = element("i", { "aria-hidden": "true" });
  paint(mark, { title: "", state, colour, borrowed });
  return element("li", { class: "plots" }, mark, element("span", {}, words));
}

export const plots: Part = {
  open,
  render(model, opened, el) {
    const view = new View(model as Model, opened as Opened, el);
    return () => view.close();
  },
};
