/** The chart for those who do not see it: a sentence, a table, and the moment under the cursor. */
import { element } from "../dom";
import type { SeriesSpec } from "../wire";
import { exact, NONE, number } from "../words";
import type { Points, Values } from "./points";

export function amount(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return NONE;
  return unit ? `${number(value, null)} ${unit}` : number(value, null);
}

const present = (values: Values): number[] => values.filter((value) => value !== null);

/** The last value that is no gap. */
export function latest(values: Values): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

function span(values: Values): [lowest: number, highest: number] | null {
  const known = present(values);
  if (!known.length) return null;
  return known.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

/** "Held against capacity. Held: 37 now, between 12 and 44. Capacity: 48." */
export function sentence(title: string, specs: readonly SeriesSpec[], points: Points): string {
  const parts = specs.map((spec) => {
    const values = points.get(spec.key);
    const limits = span(values);
    if (!limits) return `${spec.title}: no values.`;
    const [low, high] = limits;
    const range = low === high ? "" : `, between ${number(low, null)} and ${number(high, null)}`;
    return `${spec.title}: ${number(latest(values)!, null)} now${range}.`;
  });
  return [`${title}.`, ...parts].join(" ");
}

export function table(title: string, specs: readonly SeriesSpec[], points: Points, unit: string): HTMLTableElement {
  const head = ["Series", "Now", "Lowest", "Highest", "Mean"].map((text) => element("th", { scope: "col" }, text));
  const rows = specs.map((spec) => {
    const values = points.get(spec.key);
    const known = present(values);
    const [low, high] = span(values) ?? [null, null];
    const mean = known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
    const cells = [latest(values), low, high, mean].map((value) => element("td", {}, amount(value, unit)));
    return element("tr", {}, element("th", { scope: "row" }, spec.title), ...cells);
  });
  const caption = element("caption", {}, title);
  return element("table", {}, caption, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
}

export function moment(index: number, specs: readonly SeriesSpec[], points: Points, unit: string): string {
  const time = points.times[index];
  if (time === undefined) return "";
  const parts = specs.map((spec) => `${spec.title} ${amount(points.get(spec.key)[index], unit)}`);
  return [exact(time), ...parts].join(", ");
}
