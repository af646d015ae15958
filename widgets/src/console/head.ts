/** The head of a panel: its title, how fresh everything is, what was just done, and whether the control plane is away. */
import type { AnyModel } from "@anywidget/types";
import { element, root, setText } from "../dom";
import type { Part } from "../loader";
import type { HeadTraits } from "../wire";

type Model = AnyModel<HeadTraits>;

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

function freshness(state: HeadTraits["state"], at: number): string {
  const clock = at ? CLOCK.format(new Date(at * 1000)) : "";
  if (state === "live") return `Live · everything as of ${clock}`;
  if (state === "away") return clock ? `Not live · everything as of ${clock}` : "Not live";
  return "Loading…";
}

class View {
  private readonly title = element("h1", { tabindex: -1 });
  private readonly fresh = element("p", { class: "fresh quiet small num" });
  /** Live regions stay in the page, or nothing would be read out when they speak. */
  private readonly said = element("p", { class: "said", role: "status" });
  private readonly trouble = element("p", { class: "note warn", role: "alert" });
  private readonly endings: (() => void)[] = [];

  constructor(
    private readonly model: Model,
    el: HTMLElement,
  ) {
    root(el, "head").append(this.title, this.fresh, this.trouble, this.said);
    for (const name of ["title", "state", "at", "said", "tone", "trouble"] as const) {
      const listener = (): void => this.draw();
      model.on(`change:${name}`, listener);
      this.endings.push(() => model.off(`change:${name}`, listener));
    }
    this.draw();
  }

  close(): void {
    for (const end of this.endings) end();
  }

  private draw(): void {
    const { model } = this;
    setText(this.title, model.get("title"));
    setText(this.fresh, freshness(model.get("state"), model.get("at")));
    this.fresh.dataset["fresh"] = model.get("state");
    setText(this.trouble, model.get("trouble"));
    this.trouble.hidden = !model.get("trouble");
    setText(this.said, model.get("said"));
    this.said.className = `said note ${model.get("tone")}`;
    this.said.classList.toggle("unseen", !model.get("said"));
    // A page of its own is found again by its name; JupyterLab's tabs have their own.
    if (document.documentElement.dataset["allotmentHost"] === "page") document.title = `${model.get("title")} · Allotment`;
  }
}

export const head: Part = {
  open: () => undefined,
  render(model, _opened, el) {
    const view = new View(model as Model, el);
    return () => view.close();
  },
};
