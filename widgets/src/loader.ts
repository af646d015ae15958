/**
 * What travels with every grid, chart and group of plots: a few lines that fetch the script they share.
 *
 * anywidget sends a widget's script with each instance, and again when a page is reloaded; AG Grid in ten grids would
 * be 8 MB. The first widget of a page asks the kernel for the shared script, the others wait for the same promise.
 */
import type { AnyModel, Initialize, Render } from "@anywidget/types";
import type { FromKernel, Traits } from "./wire";

/** What the shared script exports for each part. */
export interface Part {
  /** Called once for each model; what it returns is given to its views. */
  open(model: AnyModel): unknown;
  render(model: AnyModel, opened: unknown, el: HTMLElement): () => void;
}
export type Parts = Record<Traits["part"], Part>;

const SHELF = Symbol.for("allotment.scripts");
const shelf = globalThis as unknown as Record<symbol, Map<string, Promise<Parts>> | undefined>;
const scripts = (shelf[SHELF] ??= new Map());

async function run(gzipped: DataView): Promise<Parts> {
  const bytes = new Blob([gzipped as DataView<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream("gzip"));
  const source = await new Response(bytes).text();
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    return ((await import(url)) as { parts: Parts }).parts;
  } finally {
    URL.revokeObjectURL(url);
  }
}

function ask(model: AnyModel, digest: string, signal: AbortSignal): Promise<Parts> {
  return new Promise((resolve, reject) => {
    const listen = (message: FromKernel, buffers: DataView[]): void => {
      if (message.kind !== "script" || message.digest !== digest) return;
      model.off("msg:custom", listen);
      run(buffers[0]!).then(resolve, reject);
    };
    model.on("msg:custom", listen);
    signal.addEventListener("abort", () => reject(new Error("The widget was closed before its script arrived.")));
    model.send({ kind: "script" });
  });
}

/** The shared script; if the widget that asked for it is closed meanwhile, the next one asks. */
async function shared(model: AnyModel, signal: AbortSignal): Promise<Parts> {
  const digest = model.get("digest") as string;
  for (;;) {
    const waiting = scripts.get(digest);
    if (!waiting) break;
    try {
      return await waiting;
    } catch (error) {
      if (signal.aborted) throw error;
      if (scripts.get(digest) === waiting) scripts.delete(digest);
    }
  }
  const asked = ask(model, digest, signal);
  scripts.set(digest, asked);
  return asked;
}

interface Opened {
  part: Part;
  state: unknown;
}

export default (): { initialize: Initialize; render: Render } => {
  let opened: Promise<Opened> | undefined;
  return {
    // Not awaited: anywidget holds back messages until initialize is done, the script's own among them.
    initialize({ model, signal }) {
      opened = shared(model, signal ?? new AbortController().signal).then((parts) => {
        const part = parts[model.get("part") as Traits["part"]];
        return { part, state: part.open(model) };
      });
      opened.catch((error: unknown) => console.error("Allotment:", error));
    },
    async render({ model, el }) {
      if (!opened) return;
      const { part, state } = await opened;
      return part.render(model, state, el);
    },
  };
};
