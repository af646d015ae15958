/** One line of plots: a node's or a pool's name, its squares (or one bar where they are too many), what is held. */
import { element, setText } from "../dom";
import { bar, paint, plotWords } from "../plot";
import { heldWords, type Device } from "./words";

/** Past this many, squares say less than one bar in the same colours. */
export const SQUARES = 64;

export interface SectionOptions {
  selectable: boolean;
  expanded: boolean;
  isSelected(id: string): boolean;
  onExpand(expanded: boolean): void;
}

export function paintSquare(target: HTMLElement, device: Device, selectable: boolean, selected: boolean): void {
  const words = plotWords(device, device.holder);
  target.dataset["id"] = device.id;
  target.title = words;
  target.setAttribute("aria-label", words);
  if (selectable) target.setAttribute("aria-selected", String(selected));
  paint(target, device);
}

export class Section {
  readonly element: HTMLElement;
  readonly squares = new Map<string, HTMLElement>();
  private readonly held = element("span", { class: "held num small quiet" });

  constructor(
    readonly name: string,
    devices: readonly Device[],
    private readonly options: SectionOptions,
  ) {
    const many = devices.length > SQUARES;
    const line = many && !options.expanded ? this.barLine(devices) : this.squareLine(devices);
    const more = many ? [this.moreButton(devices.length)] : [];
    this.element = element("div", { class: "plots-section" }, element("b", { title: name }, name), line, this.held, ...more);
    this.count(devices);
  }

  /** Repaints what has changed in place, so that focus and hover stay. */
  update(devices: readonly Device[]): void {
    for (const device of devices) {
      const target = this.squares.get(device.id);
      if (target) paintSquare(target, device, this.options.selectable, this.options.isSelected(device.id));
    }
    this.count(devices);
  }

  private count(devices: readonly Device[]): void {
    setText(this.held, heldWords(devices));
  }

  private squareLine(devices: readonly Device[]): HTMLElement {
    const { selectable, isSelected } = this.options;
    const label = `${this.name || "Devices"}, ${devices.length} devices`;
    const line = selectable
      ? element("div", { class: "plots", role: "listbox", "aria-multiselectable": "true", "aria-label": label })
      : element("div", { class: "plots", role: "list", "aria-label": label });
    for (const device of devices) {
      const square = selectable ? element("span", { role: "option", tabindex: -1 }) : element("span", { role: "listitem" });
      paintSquare(square, device, selectable, isSelected(device.id));
      this.squares.set(device.id, square);
      line.append(square);
    }
    return line;
  }

  private barLine(devices: readonly Device[]): HTMLElement {
    const drawn = bar(devices, (plot) => (plot as Device).group);
    const parts = [...drawn.children].map((piece) => piece.getAttribute("title"));
    const label = `${this.name || "Devices"}: ${parts.join("; ")}`;
    return element("div", { class: "plots", role: "img", "aria-label": label }, drawn);
  }

  private moreButton(count: number): HTMLElement {
    const { expanded, onExpand } = this.options;
    const words = expanded ? "Show one bar" : `Show ${count} plots`;
    const button = element("button", { type: "button", class: "more", "aria-expanded": String(expanded) }, words);
    button.append(element("span", { class: "unseen" }, ` of ${this.name}`));
    button.addEventListener("click", () => onExpand(!expanded));
    return button;
  }
}
