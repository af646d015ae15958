// The page fetches its live parts again and replaces them. Nothing that was typed is touched.

import { morph } from "./morph.js";

const every = 3000; // milliseconds; what is shown is never older than five seconds

/**
 * Keep the elements marked data-live up to date.
 * `address()` says what to fetch now, `changed()` is called after something was replaced.
 * Returns a function that fetches at once.
 */
export function live(address, changed = () => {}) {
  let tag = "";
  let asked = "";
  let timer = 0;
  let last = new Date();
  const stale = document.getElementById("stale");

  function replace(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const newer = fresh.getElementById(part.id);
      if (newer) morph(part, document.adoptNode(newer));
    }
    changed();
  }

  function tell(failed) {
    if (!stale) return;
    const since = last.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    stale.textContent = failed ? `What is shown is as of ${since}: the hub could not be asked since.` : "";
    stale.hidden = !failed;
  }

  async function fetchNow() {
    clearTimeout(timer);
    const wanted = address();
    asked = wanted;
    try {
      const headers = { "X-XSRFToken": document.body.dataset.xsrf };
      if (tag) headers["If-None-Match"] = tag;
      const response = await fetch(wanted, { headers, redirect: "manual" });
      if (asked !== wanted) return; // a newer question is on its way
      if (response.type === "opaqueredirect") {
        location.reload(); // signed out meanwhile
        return;
      }
      if (response.status !== 304) {
        if (!response.ok) throw new Error(String(response.status));
        tag = response.headers.get("ETag") || "";
        const html = await response.text();
        if (asked !== wanted) return;
        replace(html);
      }
      last = new Date();
      tell(false);
    } catch {
      tell(true);
    } finally {
      if (asked === wanted) schedule();
    }
  }

  function schedule() {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(fetchNow, every);
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else fetchNow();
  });
  schedule();
  return () => {
    tag = "";
    return fetchNow();
  };
}
