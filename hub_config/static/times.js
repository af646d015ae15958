// Times are relative on the page and exact on hover: <time datetime="…" data-as="since|ago|until|stops|at">.

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Write a duration in seconds as people say it: 47 min, 2 h 14 min, 3 d 4 h. */
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < minute) return "less than a minute";
  if (s < hour) return `${Math.floor(s / minute)} min`;
  if (s < day) return `${Math.floor(s / hour)} h ${Math.floor((s % hour) / minute)} min`;
  return `${Math.floor(s / day)} d ${Math.floor((s % day) / hour)} h`;
}

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const dayAndClock = new Intl.DateTimeFormat([], { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/** A time of day, with the day where that is not clear. */
export function at(moment) {
  const date = new Date(moment);
  const near = Math.abs(moment - Date.now()) < 12 * hour * 1000;
  return (near || date.toDateString() === new Date().toDateString() ? clock : dayAndClock).format(date);
}

function words(moment, style) {
  if (style === "at") return at(moment);
  const seconds = (Date.now() - moment) / 1000;
  if (style === "ago") return seconds < minute ? "just now" : `${duration(seconds)} ago`;
  if (style === "stops") return seconds >= 0 ? "now" : `in ${duration(-seconds)}`;
  if (style === "until") return seconds >= 0 ? "ended" : `in ${duration(-seconds)}`;
  return duration(seconds);
}

export function showTimes() {
  for (const element of document.querySelectorAll("time[data-as]")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    const text = words(moment.getTime(), element.dataset.as);
    if (element.textContent !== text) element.textContent = text;
    if (!element.title) element.title = moment.toLocaleString();
  }
}

showTimes();
setInterval(showTimes, 15000);
