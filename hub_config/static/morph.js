// Replace a part of the page by a newer one, touching only what differs: focus, typed text, open
// details and chosen radio buttons stay, because their elements stay.

const ownedByPerson = { INPUT: ["value", "checked"], DETAILS: ["open"], OPTION: ["selected"] };

function sameThing(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
}

function syncAttributes(old, fresh) {
  const kept = new Set(ownedByPerson[old.nodeName] || []);
  if (old.dataset.filtered !== undefined) kept.add("hidden").add("data-filtered");
  for (const { name, value } of [...fresh.attributes]) {
    if (!kept.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!kept.has(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
}

function syncChildren(old, fresh) {
  const keyed = new Map();
  for (const child of old.children) if (child.id) keyed.set(child.id, child);
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const known = wanted.id ? keyed.get(wanted.id) : null;
    if (known && known !== at) old.insertBefore(known, at);
    const match = known || (at && sameThing(at, wanted) ? at : null);
    if (match) {
      morph(match, wanted);
      at = match.nextSibling;
    } else {
      old.insertBefore(wanted, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/** Make `old` what `fresh` is. `fresh` is used up. */
export function morph(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  syncAttributes(old, fresh);
  if (old.dataset.client === undefined) syncChildren(old, fresh);
}
