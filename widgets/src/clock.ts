/** Relative times tick in the page: no message is sent because a minute has passed. */
import { setText } from "./dom";
import { duration, relative } from "./words";

export type Ticking = "time" | "since";

const TICK = 1000;

export function wordsFor(kind: Ticking, then: number, now = Date.now() / 1000): string {
  return kind === "since" ? duration(now - then) : relative(then, now);
}

/** Marks an element so that `tick` keeps its words true; only elements that are in the page cost anything. */
export function keepTrue(target: HTMLElement, kind: Ticking, then: number): void {
  target.dataset["ticking"] = kind;
  target.dataset["then"] = String(then);
  setText(target, wordsFor(kind, then));
}

export function forget(target: HTMLElement): void {
  delete target.dataset["ticking"];
  delete target.dataset["then"];
}

export function tick(root: ParentNode, now = Date.now() / 1000): void {
  for (const target of root.querySelectorAll<HTMLElement>("[data-ticking]")) {
    setText(target, wordsFor(target.dataset["ticking"] as Ticking, Number(target.dataset["then"]), now));
  }
}

/** Ticks once a second while the page is visible. Returns what stops it. */
export function startClock(root: ParentNode): () => void {
  const timer = setInterval(() => {
    if (!document.hidden) tick(root);
  }, TICK);
  return () => clearInterval(timer);
}
