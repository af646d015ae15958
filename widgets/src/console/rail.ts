/** The console's rail: its panels as a list of links, in sections, with counts; and links to panels anywhere in the page. */
import type { AnyModel } from "@anywidget/types";
import { element, root } from "../dom";
import type { Part } from "../loader";
import type { RailEntry, RailTraits, ToKernel } from "../wire";
import { number } from "../words";

type Model = AnyModel<RailTraits>;

/** The mark: nine plots, three of them held. */
function brand(name: string): HTMLElement {
  const mark = element("span", { class: "mark", "aria-hidden": "true" });
  for (let place = 0; place < 9; place += 1) mark.append(element("i", place % 4 === 0 ? { class: "on" } : {}));
  return element("div", { class: "brand" }, mark, name);
}

class View {
  private readonly nav = element("nav", { "aria-label": "Panels" });
  private readonly foot = element("div", { class: "foot small quiet" });
  private readonly endings: (() => void)[] = [];

  constructor(
    private readonly model: Model,
    el: HTMLElement,
  ) {
    const top = root(el, "rail");
    top.append(brand("Allotment"), this.nav, this.foot);
    this.follow(top);
    this.draw();
  }

  close(): void {
    for (const end of this.endings) end();
  }

  private follow(top: HTMLElement): void {
    const on = (name: keyof RailTraits, listener: () => void): void => {
      this.model.on(`change:${name}`, listener);
      this.endings.push(() => this.model.off(`change:${name}`, listener));
    };
    for (const name of ["entries", "current", "foot"] as const) on(name, () => this.draw());
    // Any element of the console that says where it leads works as a link of the rail does.
    const clicked = (event: Event): void => this.clicked(event, top);
    document.addEventListener("click", clicked);
    this.endings.push(() => document.removeEventListener("click", clicked));
    this.tellWhenLeft();
  }

  /** Our template for Voilà says it: such a page has its kernel to itself, and nobody comes back to it. */
  private tellWhenLeft(): void {
    const left = (): void => this.model.send({ kind: "left" } satisfies ToKernel);
    document.addEventListener("allotment:leaving", left);
    this.endings.push(() => document.removeEventListener("allotment:leaving", left));
  }

  private clicked(event: Event, top: HTMLElement): void {
    const link = (event.target as Element | null)?.closest<HTMLElement>("[data-go]");
    if (!link || link.closest(".console") !== top.closest(".console")) return;
    event.preventDefault();
    const { go = "", about = "" } = link.dataset;
    this.model.send({ kind: "go", panel: go, about } satisfies ToKernel);
  }

  /** Anew, with the focus where it was: the list is short, and changes when a count does. */
  private draw(): void {
    const held = this.nav.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset["go"] : undefined;
    const sections = new Map<string, RailEntry[]>();
    for (const entry of this.model.get("entries")) sections.set(entry.section, [...(sections.get(entry.section) ?? []), entry]);
    this.nav.replaceChildren(...[...sections].flatMap(([title, entries]) => this.section(title, entries)));
    this.foot.replaceChildren(...this.model.get("foot").map((line) => element("p", {}, line)));
    if (held !== undefined) this.nav.querySelector<HTMLElement>(`[data-go="${held}"]`)?.focus();
  }

  private section(title: string, entries: RailEntry[]): HTMLElement[] {
    const list = element("ul", { "aria-label": title || "Platform" }, ...entries.map((entry) => element("li", {}, this.link(entry))));
    return title ? [element("p", { class: "section" }, title), list] : [list];
  }

  private link({ key, title, count, words, tone }: RailEntry): HTMLElement {
    const current = key === this.model.get("current");
    const link = element("a", { href: `#${key}`, "data-go": key, "aria-current": current ? "page" : undefined }, title);
    if (count !== null) {
      link.append(element("span", { class: `num ${tone}`, title: words }, number(count, 0), element("span", { class: "unseen" }, ` ${words}`)));
    }
    return link;
  }
}

export const rail: Part = {
  open: () => undefined,
  render(model, _opened, el) {
    const view = new View(model as Model, el);
    return () => view.close();
  },
};
