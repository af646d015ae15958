/** Numbers, amounts and times in words. Times are seconds since 1970 in UTC; durations are seconds. */

export const NONE = "–";

const PLAIN = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const formats = new Map<number, Intl.NumberFormat>();

export function number(value: number, decimals: number | null): string {
  if (decimals === null) return PLAIN.format(value);
  let format = formats.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    formats.set(decimals, format);
  }
  return format.format(value);
}

export function money(value: number, unit: string, decimals: number | null): string {
  const amount = number(Math.abs(value), decimals ?? 2);
  return `${value < 0 ? "−" : ""}${unit}${unit ? " " : ""}${amount}`;
}

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytes(value: number): string {
  let power = 0;
  let size = Math.abs(value);
  while (size >= 1024 && power < SIZES.length - 1) {
    size /= 1024;
    power += 1;
  }
  const digits = size >= 100 || power === 0 || Number.isInteger(size) ? 0 : 1;
  return `${value < 0 ? "−" : ""}${number(size, digits)} ${SIZES[power]}`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** "42 s", "7 min", "2 h 14 min", "3 d 04 h": the two largest units, wide enough to compare down a column. */
export function duration(seconds: number): string {
  const total = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(total / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (minutes === 0) return `${total} s`;
  if (hours === 0) return `${minutes} min`;
  if (days === 0) return `${hours} h ${two(minutes % 60)} min`;
  return `${days} d ${two(hours % 24)} h`;
}

/** One unit is enough to say how far away something is: "12 min ago", "in 3 h", "just now". */
export function relative(then: number, now: number): string {
  const distance = Math.abs(then - now);
  if (distance < 5) return "just now";
  const text = coarse(distance);
  return then > now ? `in ${text}` : `${text} ago`;
}

function coarse(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

const EXACT = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZoneName: "short",
});

/** The exact moment in the reader's own zone, which it names. */
export function exact(seconds: number): string {
  return EXACT.format(new Date(seconds * 1000));
}

export function plural(count: number, [one, many]: readonly [string, string]): string {
  return `${number(count, 0)} ${count === 1 ? one : many}`;
}
