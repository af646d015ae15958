/** Where a key leads among squares: one tab stop for all of them, arrows inside. */

export interface Place {
  line: number;
  index: number;
}

/** The place that a key leads to from another, or null if it is no such key. Lines without squares (bars) are passed over. */
export function lead(key: string, from: Place, lengths: readonly number[]): Place | null {
  const last = (line: number): number => (lengths[line] ?? 0) - 1;
  switch (key) {
    case "ArrowRight":
      return from.index < last(from.line) ? { ...from, index: from.index + 1 } : start(neighbour(from.line, 1, lengths), 0, from);
    case "ArrowLeft": {
      if (from.index > 0) return { ...from, index: from.index - 1 };
      const line = neighbour(from.line, -1, lengths);
      return start(line, line === null ? 0 : last(line), from);
    }
    case "ArrowDown":
    case "ArrowUp": {
      const line = neighbour(from.line, key === "ArrowDown" ? 1 : -1, lengths);
      return start(line, line === null ? 0 : Math.min(from.index, last(line)), from);
    }
    case "Home":
      return { ...from, index: 0 };
    case "End":
      return { ...from, index: last(from.line) };
    default:
      return null;
  }
}

function neighbour(line: number, step: 1 | -1, lengths: readonly number[]): number | null {
  for (let next = line + step; next >= 0 && next < lengths.length; next += step) {
    if (lengths[next]! > 0) return next;
  }
  return null;
}

const start = (line: number | null, index: number, from: Place): Place => (line === null ? from : { line, index });
