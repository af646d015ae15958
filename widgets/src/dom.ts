/** Elements made without ever parsing markup: whatever comes from the record is inserted as text. */

type Attributes = Record<string, string | number | boolean | undefined>;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

/** Writes only what differs, so that a live region speaks and a selection in the text stays. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** The outermost element of a widget. JupyterLab would otherwise act on keys pressed inside ("d d" deletes the cell). */
export function root(el: HTMLElement, part: string): HTMLElement {
  const made = element("div", { class: `allotment allotment-${part}`, "data-lm-suppress-shortcuts": "true" });
  el.replaceChildren(made);
  return made;
}
