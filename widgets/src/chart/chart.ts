/** A chart over time: uPlot draws, the legend and the text alternative are elements with words. */
import type { AnyModel } from "@anywidget/types";
import uPlot from "uplot";
import uplotCss from "uplot/dist/uPlot.min.css";
import { element, root, setText } from "../dom";
import type { Part } from "../loader";
import { onTheme, wear } from "../theme";
import type { ChartTraits, FromKernel, SeriesSpec, ToKernel } from "../wire";
import css from "./chart.css";
import { drawnData, options, Paint } from "./drawing";
import { Points } from "./points";
import { amount, latest, moment, sentence, table } from "./text";
import { swatch, Tooltip } from "./tooltip";

const LEAST_WIDTH = 120;

type Model = AnyModel<ChartTraits>;

function open(model: AnyModel): Points {
  const send = (message: ToKernel): void => model.send(message);
  const points = new Points(
    () => send({ kind: "ready" }),
    () => (model as Model).get("keep"),
  );
  model.on("msg:custom", (message: FromKernel, buffers: DataView[]) => points.receive(message, buffers));
  send({ kind: "ready" });
  return points;
}

class View {
  private readonly root: HTMLElement;
  private readonly canvas = element("div", { class: "canvas", role: "img", tabindex: 0 });
  private readonly legend = element("ul", { class: "legend small quiet num" });
  private readonly values = element("div", { class: "unseen" });
  private readonly said = element("p", { class: "unseen", role: "status" });
  private readonly notice = element("p", { class: "notice quiet", role: "status" });
  private readonly tooltip = new Tooltip();
  private readonly paint: Paint;
  private drawn: uPlot | undefined;
  /** Drawn before it was in the page, so without its colours. */
  private blind = false;
  private readonly endings: (() => void)[] = [];

  constructor(
    private readonly model: Model,
    private readonly points: Points,
    el: HTMLElement,
  ) {
    wear("chart", uplotCss + css);
    this.root = root(el, "chart");
    const plot = element("div", { class: "plot" }, this.canvas, this.tooltip.element, this.notice);
    this.root.append(plot, this.legend, this.values, this.said);
    this.paint = new Paint(this.root);
    this.follow();
    this.rebuild();
  }

  close(): void {
    for (const end of this.endings) end();
    this.drawn?.destroy();
  }

  private follow(): void {
    for (const name of ["series", "unit", "height", "title", "empty"] as const) {
      const listener = (): void => this.rebuild();
      this.model.on(`change:${name}`, listener);
      this.endings.push(() => this.model.off(`change:${name}`, listener));
    }
    const resized = new ResizeObserver(() => this.resize());
    resized.observe(this.canvas);
    this.canvas.addEventListener("keydown", (event) => this.pressed(event));
    this.endings.push(
      this.points.listen(() => this.update()),
      // A canvas keeps the colours that it was drawn in.
      onTheme(() => this.rebuild()),
      () => resized.disconnect(),
    );
  }

  private specs(): SeriesSpec[] {
    return this.model.get("series");
  }

  private size(): { width: number; height: number } {
    // Out of sight it has no width: then what it had is as good as any, until it is seen again.
    const width = this.canvas.clientWidth || (this.drawn?.width ?? 0);
    return { width: Math.max(LEAST_WIDTH, width), height: this.model.get("height") };
  }

  private rebuild(): void {
    const size = this.size();
    this.blind = !this.canvas.isConnected;
    this.drawn?.destroy();
    this.canvas.style.height = `${size.height}px`;
    const made = options(this.specs(), this.points, this.paint, size);
    made.hooks = { setCursor: [(chart) => this.cursorMoved(chart)] };
    this.drawn = new uPlot(made, drawnData(this.specs(), this.points), this.canvas);
    this.describe();
    // A change of theme may lay the page out anew after it has told of itself.
    requestAnimationFrame(() => this.resize());
  }

  private update(): void {
    this.drawn?.setData(drawnData(this.specs(), this.points));
    this.describe();
  }

  private resize(): void {
    if (this.blind && this.canvas.isConnected) {
      this.rebuild();
      return;
    }
    const { width, height } = this.size();
    if (this.drawn && this.drawn.width !== width) this.drawn.setSize({ width, height });
  }

  private describe(): void {
    const { model, points } = this;
    const specs = this.specs();
    this.canvas.setAttribute("aria-label", sentence(model.get("title"), specs, points));
    this.values.replaceChildren(table(model.get("title"), specs, points, model.get("unit")));
    this.legend.replaceChildren(...specs.map((spec) => this.legendItem(spec)));
    const nothing = points.known ? model.get("empty") : "Loading…";
    setText(this.notice, points.times.length ? "" : nothing);
    this.notice.hidden = points.times.length > 0;
  }

  private legendItem(spec: SeriesSpec): HTMLElement {
    const now = element("b", {}, amount(latest(this.points.get(spec.key)), ""));
    return element("li", {}, swatch(spec), element("span", {}, spec.title), now);
  }

  private cursorMoved(chart: uPlot): void {
    const { idx, left } = chart.cursor;
    if (idx === null || idx === undefined || left === undefined || left < 0) this.tooltip.hide();
    else this.tooltip.show(idx, left + chart.over.offsetLeft, this.specs(), this.points, this.model.get("unit"));
  }

  /** Arrows walk from moment to moment, and the moment is said. */
  private pressed(event: KeyboardEvent): void {
    const chart = this.drawn;
    const last = this.points.times.length - 1;
    if (!chart || last < 0) return;
    const at = chart.cursor.idx ?? last;
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") chart.setCursor({ left: -10, top: -10 });
    if (next === undefined) return;
    event.preventDefault();
    const index = Math.min(last, Math.max(0, next));
    chart.setCursor({ left: chart.valToPos(this.points.times[index]!, "x"), top: 0 });
    setText(this.said, moment(index, this.specs(), this.points, this.model.get("unit")));
  }
}

export const chart: Part = {
  open,
  render(model, opened, el) {
    const view = new View(model as Model, opened as Points, el);
    return () => view.close();
  },
};
