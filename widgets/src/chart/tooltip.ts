/** The box beside the cursor: the moment, and every series' value at it. */
import { element } from "../dom";
import type { SeriesSpec } from "../wire";
import { exact } from "../words";
import { colourOf } from "./drawing";
import type { Points } from "./points";
import { amount } from "./text";

const AWAY = 14;

/** A short piece of the line as it is drawn, for legend and tooltip. */
export function swatch(spec: SeriesSpec): HTMLElement {
  return element("i", { class: `swatch ${spec.kind}`, style: `--swatch: ${colourOf(spec)}`, "aria-hidden": "true" });
}

export class Tooltip {
  readonly element = element("div", { class: "tooltip", hidden: true });

  /** Stacks are listed as they lie: the top one first. */
  show(index: number, left: number, specs: readonly SeriesSpec[], points: Points, unit: string): void {
    const stacked = specs.filter(({ kind }) => kind === "stacked").reverse();
    const listed = [...stacked, ...specs.filter(({ kind }) => kind !== "stacked")];
    const rows = listed.map((spec) =>
      element("div", {}, swatch(spec), element("span", {}, spec.title), element("b", { class: "num" }, amount(points.get(spec.key)[index], unit))),
    );
    this.element.replaceChildren(element("div", { class: "moment" }, exact(points.times[index]!)), ...rows);
    this.element.hidden = false;
    this.place(left);
  }

  hide(): void {
    this.element.hidden = true;
  }

  /** On the side that has room. */
  private place(left: number): void {
    const room = this.element.parentElement?.clientWidth ?? 0;
    const width = this.element.offsetWidth;
    const right = left + AWAY + width > room;
    this.element.style.left = `${Math.max(0, right ? left - AWAY - width : left + AWAY)}px`;
  }
}
