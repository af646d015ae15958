/** First in a form that opens: brings the focus into it, takes Escape as its cancel, gives the focus back when it closes. */
import type { AnyModel } from "@anywidget/types";
import type { Part } from "../loader";
import type { Traits } from "../wire";

const FIELDS = "input:not([type=checkbox]), textarea, select";
const ANYTHING = "input, textarea, select, button";

/** Calls back once an element is in the page, where its neighbours are too. */
function onceThere(el: HTMLElement, then: (form: HTMLElement) => void): () => void {
  let frame = 0;
  const look = (): void => {
    const form = el.closest<HTMLElement>(".asking");
    if (form?.isConnected && form.querySelector(ANYTHING)) then(form);
    else frame = requestAnimationFrame(look);
  };
  frame = requestAnimationFrame(look);
  return () => cancelAnimationFrame(frame);
}

function enter(form: HTMLElement, title: string): void {
  form.setAttribute("role", "group");
  form.setAttribute("aria-label", title);
  form.dataset["lmSuppressShortcuts"] = "true";
  form.scrollIntoView({ block: "nearest" });
  (form.querySelector<HTMLElement>(FIELDS) ?? form.querySelector<HTMLElement>(ANYTHING))?.focus({ preventScroll: true });
}

function escape(event: KeyboardEvent): void {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  (event.currentTarget as HTMLElement).querySelector<HTMLElement>("button.cancel")?.click();
  event.preventDefault();
}

export const arrival: Part = {
  open: () => undefined,
  render(model: AnyModel, _opened, el) {
    el.style.display = "none";
    const before = document.activeElement as HTMLElement | null;
    let form: HTMLElement | undefined;
    const stop = onceThere(el, (found) => {
      form = found;
      enter(form, (model as AnyModel<Traits>).get("title"));
      form.addEventListener("keydown", escape);
    });
    return () => {
      stop();
      form?.removeEventListener("keydown", escape);
      const lost = document.activeElement === document.body || form?.contains(document.activeElement);
      if (lost && before?.isConnected) before.focus({ preventScroll: true });
    };
  },
};
