/** One square for one device, and one bar where squares would be too many. */
import { element } from "./dom";
import type { PlotState } from "./wire";

export interface PlotLook {
  title: string;
  state: PlotState;
  colour: number;
  borrowed: boolean;
}

export const STATE_WORDS: Record<PlotState, string> = {
  held: "held",
  idle: "held but idle",
  free: "free",
  out: "out of use",
  unhealthy: "unhealthy",
  wanted: "wanted",
};

/** "dgx-1 gpu-3: held, borrowed by bob": what the colour says, in words. */
export function plotWords(plot: PlotLook, holder = ""): string {
  const held = plot.state === "held" || plot.state === "idle";
  const by = held && holder ? ` by ${holder}` : "";
  const borrowed = plot.borrowed ? ", borrowed" : "";
  return `${plot.title}: ${STATE_WORDS[plot.state]}${borrowed}${by}`;
}

/** Colour and ring of a square, written as data so that the style sheet alone says what they look like. */
export function paint(target: HTMLElement, plot: PlotLook): void {
  target.dataset["state"] = plot.state;
  target.dataset["colour"] = String(plot.colour);
  target.toggleAttribute("data-borrowed", plot.borrowed);
}

export function square(plot: PlotLook): HTMLElement {
  const made = element("i", { title: plotWords(plot) });
  paint(made, plot);
  return made;
}

const ORDER: PlotState[] = ["unhealthy", "out", "idle", "held", "wanted", "free"];

/** The same colours as one bar: a piece for each state and group, as wide as its part of the whole. */
export function bar(plots: readonly PlotLook[], nameOf: (plot: PlotLook) => string = () => ""): HTMLElement {
  const pieces = new Map<string, { plot: PlotLook; count: number; words: string }>();
  for (const plot of plots) {
    const key = `${ORDER.indexOf(plot.state)} ${String(plot.colour).padStart(2, "0")} ${plot.state === "held" ? plot.borrowed : ""}`;
    const piece = pieces.get(key);
    if (piece) piece.count += 1;
    else pieces.set(key, { plot, count: 1, words: [nameOf(plot), STATE_WORDS[plot.state]].filter(Boolean).join(", ") });
  }
  const made = element("span", { class: "plot-bar" });
  for (const key of [...pieces.keys()].sort()) {
    const { plot, count, words } = pieces.get(key)!;
    const piece = element("i", { title: `${count} ${words}`, style: `flex-grow: ${count}` });
    paint(piece, plot);
    made.append(piece);
  }
  return made;
}
