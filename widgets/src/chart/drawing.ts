/** How the points are drawn: uPlot's options and data from ours. */
import uPlot from "uplot";
import { token } from "../theme";
import type { SeriesSpec } from "../wire";
import { number } from "../words";
import type { Points, Values } from "./points";

/** Colours as a canvas takes them: computed where the chart stands, in the theme of the moment. */
export class Paint {
  private readonly probe = document.createElement("span");

  constructor(private readonly at: HTMLElement) {
    this.probe.hidden = true;
    at.append(this.probe);
  }

  colour(css: string): string {
    this.probe.style.color = css;
    return getComputedStyle(this.probe).color;
  }

  font(): string {
    return `11.5px ${token(this.at, "font") || "sans-serif"}`;
  }
}

const NAMED: Record<string, string> = {
  accent: "var(--accent)",
  idle: "var(--idle)",
  bad: "var(--bad)",
  info: "var(--info)",
  quiet: "var(--ink-3)",
};

export function colourOf(spec: SeriesSpec): string {
  return NAMED[spec.colour] ?? `var(--plot-${spec.colour})`;
}

/** The order in which they are painted: stacks from the top down, so that each covers the lower part of the one before. */
export function paintOrder(specs: readonly SeriesSpec[]): SeriesSpec[] {
  const stacked = specs.filter(({ kind }) => kind === "stacked").reverse();
  const areas = specs.filter(({ kind }) => kind === "area");
  const lines = specs.filter(({ kind }) => kind === "line" || kind === "steps");
  return [...stacked, ...areas, ...lines, ...specs.filter(({ kind }) => kind === "limit")];
}

function add(below: Values, values: Values): Values {
  return values.map((value, index) => (value === null ? (below[index] ?? null) : value + (below[index] ?? 0)));
}

/** Times and one list for each series in paint order; stacked ones on top of those below them. */
export function drawnData(specs: readonly SeriesSpec[], points: Points): uPlot.AlignedData {
  const tops = new Map<string, Values>();
  let below: Values = [];
  for (const spec of specs) {
    const values = points.get(spec.key);
    if (spec.kind === "stacked") below = add(below, values);
    tops.set(spec.key, spec.kind === "stacked" ? below : values);
  }
  return [points.times, ...paintOrder(specs).map((spec) => tops.get(spec.key)!)] as uPlot.AlignedData;
}

function series(spec: SeriesSpec, paint: Paint): uPlot.Series {
  const colour = colourOf(spec);
  const made: uPlot.Series = { label: spec.title, stroke: paint.colour(colour), width: 2, points: { show: false } };
  switch (spec.kind) {
    case "area":
      return { ...made, fill: paint.colour(`color-mix(in srgb, ${colour} 16%, transparent)`) };
    case "stacked":
      return { ...made, width: 1, fill: paint.colour(`color-mix(in srgb, ${colour} 62%, var(--sheet))`) };
    case "steps":
      return { ...made, paths: uPlot.paths.stepped!({ align: 1 }) };
    case "limit":
      return { ...made, width: 1.4, dash: [5, 4], paths: uPlot.paths.stepped!({ align: 1 }) };
    case "line":
      return made;
  }
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const CLOCK_SECONDS = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

function timeWords(_chart: uPlot, splits: number[], _axis: number, _space: number, step: number): string[] {
  const format = step >= 86400 ? DAY : step < 60 ? CLOCK_SECONDS : CLOCK;
  return splits.map((time) => format.format(new Date(time * 1000)));
}

const DAYS = [1, 2, 3, 7, 14, 30, 91, 182, 365].map((days) => days * 86400);
const HOURS = [1, 2, 3, 4, 6, 8, 12].map((hours) => hours * 3600);
const MINUTES = [1, 5, 10, 15, 30].flatMap((number) => [number, number * 60]).sort((a, b) => a - b);
const TIMES = [...MINUTES, ...HOURS, ...DAYS];

/** How far labels of the axis may be apart: where there is a point a day, or fewer, none names an hour. */
export function timeSteps(times: readonly number[]): number[] {
  const daily = times.length > 1 && times.every((time, place) => place === 0 || time - times[place - 1]! >= 86400);
  return daily ? DAYS : TIMES;
}

/** Whole things are counted in whole steps: no axis says 1.5 devices. */
function steps(specs: readonly SeriesSpec[], points: Points): number[] {
  const whole = specs.every((spec) => points.get(spec.key).every((value) => value === null || Number.isInteger(value)));
  const decades = Array.from({ length: 16 }, (_, power) => 10 ** (power - (whole ? 0 : 4)));
  return decades.flatMap((ten) => [ten, 2 * ten, 5 * ten]);
}

/** From zero, with a tenth of air above the highest. */
const heights: uPlot.Range.Function = (_chart, low, high) => [Math.min(0, low ?? 0), (high ?? 0) > 0 ? high * 1.1 : 1];

export function options(
  specs: readonly SeriesSpec[],
  points: Points,
  paint: Paint,
  size: { width: number; height: number },
): uPlot.Options {
  const line = { stroke: paint.colour("var(--line)"), width: 1 };
  const axis = { stroke: paint.colour("var(--ink-3)"), font: paint.font(), ticks: { show: false } };
  return {
    ...size,
    legend: { show: false },
    padding: [8, 10, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: true }, y: { range: heights } },
    series: [{}, ...paintOrder(specs).map((spec) => series(spec, paint))],
    axes: [
      { ...axis, grid: { show: false }, values: timeWords, size: 30, space: 64, incrs: () => timeSteps(points.times) },
      { ...axis, grid: line, size: 46, gap: 6, incrs: steps(specs, points), space: 32, values: (_chart, splits) => splits.map((value) => number(value, null)) },
    ],
  };
}
