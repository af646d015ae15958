/** What the colours of a group of plots say, counted and in words. */
import type { Row } from "../table";
import type { PlotState } from "../wire";
import { number } from "../words";

export interface Device {
  id: string;
  title: string;
  state: PlotState;
  section: string;
  group: string;
  colour: number;
  holder: string;
  borrowed: boolean;
}

export function device(row: Row): Device {
  const text = (key: string): string => String(row[key] ?? "");
  return {
    id: row.id,
    title: text("title") || row.id,
    state: (row["state"] as PlotState | null) ?? "free",
    section: text("section"),
    group: text("group"),
    colour: Number(row["colour"] ?? 0),
    holder: text("holder"),
    borrowed: row["borrowed"] === 1,
  };
}

export const isHeld = ({ state }: Device): boolean => state === "held" || state === "idle";

/** "21 of 24 held", and how many are broken. */
export function heldWords(devices: readonly Device[]): string {
  const bad = devices.filter(({ state }) => state === "unhealthy").length;
  const held = `${number(devices.filter(isHeld).length, 0)} of ${number(devices.length, 0)} held`;
  const out = devices.filter(({ state }) => state === "out").length;
  return [held, out ? `${out} out of use` : "", bad ? `${bad} unhealthy` : ""].filter(Boolean).join(", ");
}

export interface LegendEntry {
  state: PlotState;
  colour: number;
  borrowed: boolean;
  words: string;
}

/** Groups first, as they hold most; then what is said by a state of its own. */
export function legend(devices: readonly Device[]): LegendEntry[] {
  const groups = new Map<string, { colour: number; count: number }>();
  for (const device of devices.filter(({ state, group }) => state === "held" && group)) {
    const entry = groups.get(device.group) ?? { colour: device.colour, count: 0 };
    entry.count += 1;
    groups.set(device.group, entry);
  }
  const count = (test: (device: Device) => boolean): number => devices.filter(test).length;
  const held = [...groups].sort(([, a], [, b]) => b.count - a.count);
  const entries: [LegendEntry, number][] = [
    ...held.map(([group, { colour, count: n }]): [LegendEntry, number] => [
      { state: "held", colour, borrowed: false, words: `${group} ${number(n, 0)}` },
      n,
    ]),
    entry("held", "held", 0, count(({ state, group }) => state === "held" && !group)),
    entry("held", "borrowed", 0, count((device) => device.borrowed), true),
    entry("idle", "idle", 0, count(({ state }) => state === "idle")),
    entry("out", "out of use", 0, count(({ state }) => state === "out")),
    entry("unhealthy", "unhealthy", 0, count(({ state }) => state === "unhealthy")),
    entry("wanted", "wanted", 0, count(({ state }) => state === "wanted")),
    entry("free", "free", 0, count(({ state }) => state === "free")),
  ];
  return entries.filter(([, n]) => n > 0).map(([each]) => each);
}

function entry(state: PlotState, word: string, colour: number, n: number, borrowed = false): [LegendEntry, number] {
  return [{ state, colour, borrowed, words: `${word} ${number(n, 0)}` }, n];
}
