/** First in a form or a drawer that opens: brings the focus into it, takes Escape as its cancel, gives the focus back when it closes. */
import type { AnyModel } from "@anywidget/types";
import type { Part } from "../loader";
import type { ArrivalTraits } from "../wire";

const FIELDS = "input:not([type=checkbox]), textarea, select";
const BUTTONS = "button.confirm:not(:disabled), button.cancel";

/** Calls back once the form is in the page with what is to have the focus: its parts are drawn in no order. */
function onceThere(el: HTMLElement, wanted: string, then: (form: HTMLElement) => void): () => void {
  let frame = 0;
  const look = (): void => {
    const form = el.closest<HTMLElement>(".asking, .drawer");
    if (form?.isConnected && form.querySelector(wanted)) then(form);
    else frame = requestAnimationFrame(look);
  };
  frame = requestAnimationFrame(look);
  return () => cancelAnimationFrame(frame);
}

function enter(form: HTMLElement, wanted: string, title: string): void {
  form.setAttribute("role", "group");
  form.setAttribute("aria-label", title);
  form.dataset["lmSuppressShortcuts"] = "true";
  // A drawer's table comes later, so its end says little about what will be seen.
  form.scrollIntoView({ block: form.classList.contains("drawer") ? "start" : "nearest" });
  form.querySelector<HTMLElement>(wanted)?.focus({ preventScroll: true });
}

const SETTLED_FRAMES = 30;

/** Keeps the focus in a form whose parts are still being put in place, which takes it away, until they rest or the person acts. */
function keep(form: HTMLElement, wanted: string, before: Element | null): () => void {
  let frame = 0;
  let rested = 0;
  const end = (): void => {
    cancelAnimationFrame(frame);
    for (const kind of ["pointerdown", "keydown"]) document.removeEventListener(kind, end, true);
  };
  const look = (): void => {
    const active = document.activeElement;
    if (form.contains(active)) rested += 1;
    else if (active === document.body || active === before) {
      rested = 0;
      form.querySelector<HTMLElement>(wanted)?.focus({ preventScroll: true });
    } else return end();
    if (rested < SETTLED_FRAMES) frame = requestAnimationFrame(look);
    else end();
  };
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, end, true);
  frame = requestAnimationFrame(look);
  return end;
}

function escape(event: KeyboardEvent): void {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  // There it empties what is searched for.
  if (event.target instanceof HTMLInputElement && event.target.type === "search" && event.target.value) return;
  (event.currentTarget as HTMLElement).querySelector<HTMLElement>("button.cancel")?.click();
  event.preventDefault();
}

export const arrival: Part = {
  open: () => undefined,
  render(any: AnyModel, _opened, el) {
    const model = any as AnyModel<ArrivalTraits>;
    const wanted = model.get("fields") ? FIELDS : BUTTONS;
    el.style.display = "none";
    const before = document.activeElement as HTMLElement | null;
    let form: HTMLElement | undefined;
    let letGo = (): void => undefined;
    const stop = onceThere(el, wanted, (found) => {
      form = found;
      enter(form, wanted, model.get("title"));
      letGo = keep(form, wanted, before);
      // Before ipywidgets' fields, which let no key through.
      form.addEventListener("keydown", escape, true);
    });
    return () => {
      stop();
      letGo();
      form?.removeEventListener("keydown", escape, true);
      const lost = document.activeElement === document.body || form?.contains(document.activeElement);
      if (lost && before?.isConnected) before.focus({ preventScroll: true });
    };
  },
};
