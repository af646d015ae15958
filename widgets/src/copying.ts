/** Buttons that copy: any element inside `.allotment` that says by `data-copy` what is copied. */
import { setText } from "./dom";

const FOLLOWED = Symbol.for("allotment.copying");
/** Milliseconds for which a button says that it has copied. */
const SAID = 2000;

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // No clipboard: the page is neither on this machine nor encrypted, or nobody allowed it.
  }
}

/** Where there is no clipboard the text is selected instead, ready for Ctrl+C. */
function select(button: Element): void {
  const code = button.parentElement?.querySelector("code");
  if (code) document.getSelection()?.selectAllChildren(code);
}

async function copy(button: HTMLElement): Promise<void> {
  const copied = await write(button.dataset["copy"] ?? "");
  if (!copied) select(button);
  const status = button.parentElement?.querySelector("[role=status]");
  const label = copied ? "Copied" : "Selected: press Ctrl+C";
  setText(button, label);
  if (status) setText(status, label);
  setTimeout(() => {
    setText(button, "Copy");
    if (status) setText(status, "");
  }, SAID);
}

/** Once for each page, however many widgets dress it. */
export function followCopying(): void {
  const known = globalThis as unknown as Record<symbol, boolean | undefined>;
  if (known[FOLLOWED]) return;
  known[FOLLOWED] = true;
  document.addEventListener("click", (event) => {
    const button = (event.target as Element | null)?.closest<HTMLElement>(".allotment [data-copy]");
    if (button) void copy(button);
  });
}
