/** Light or dark, and who decides: JupyterLab's theme there; on a page of its own (Voilà) that page's theme, or what the person's system prefers. */
import tokens from "../allotment_widgets/tokens.css";
import pieces from "./look/pieces.css";

export type Theme = "light" | "dark";
type Host = "lab" | "page";

interface Watch {
  theme: Theme;
  listeners: Set<() => void>;
}

/** Several scripts may hold a copy of this module; the page has one watch. */
const WATCH = Symbol.for("allotment.theme");
const shelf = globalThis as unknown as Record<symbol, Watch | undefined>;
const prefersDark = (): MediaQueryList => matchMedia("(prefers-color-scheme: dark)");

function host(): Host {
  const { voila, jpThemeName, jpThemeLight } = document.body.dataset;
  return voila === undefined && (jpThemeName ?? jpThemeLight) !== undefined ? "lab" : "page";
}

/** Voilà's page is light unless told: only a theme named in the address, or a dark one, outweighs the system's. */
function decide(): Theme {
  const light = document.body.dataset["jpThemeLight"];
  if (host() === "lab" || light === "false") return light === "false" ? "dark" : "light";
  const asked = new URLSearchParams(location.search).get("theme");
  if (asked) return /dark/i.test(asked) ? "dark" : "light";
  return prefersDark().matches ? "dark" : "light";
}

function apply(watch: Watch): void {
  watch.theme = decide();
  document.documentElement.dataset["allotmentTheme"] = watch.theme;
  document.documentElement.dataset["allotmentHost"] = host();
  for (const listener of watch.listeners) listener();
}

function start(): Watch {
  const watch: Watch = { theme: decide(), listeners: new Set() };
  shelf[WATCH] = watch;
  wear("look", tokens + pieces);
  apply(watch);
  const changed = (): void => apply(watch);
  new MutationObserver(changed).observe(document.body, {
    attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"],
  });
  prefersDark().addEventListener("change", changed);
  return watch;
}

/** Starts to follow the theme, once a page. */
export function followTheme(): void {
  shelf[WATCH] ??= start();
}

/** Calls back after each change of the theme; returns what ends that. For canvases: everything else follows the tokens. */
export function onTheme(listener: () => void): () => void {
  const watch = (shelf[WATCH] ??= start());
  watch.listeners.add(listener);
  return () => watch.listeners.delete(listener);
}

/** Adds a style sheet to the page, once for each name. */
export function wear(name: string, css: string): void {
  const id = `allotment-${name}`;
  const present = document.getElementById(id);
  if (present) {
    if (present.textContent !== css) present.textContent = css;
    return;
  }
  const style = document.createElement("style");
  style.id = id;
  style.textContent = css;
  document.head.append(style);
}

/** A token's value where `at` stands, for a canvas. */
export function token(at: Element, name: string): string {
  return getComputedStyle(at).getPropertyValue(`--${name}`).trim();
}
