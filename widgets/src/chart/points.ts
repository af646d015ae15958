/** What a chart holds: times, and for each series a value or a gap at each of them. One for each model, shared by its views. */
import { column } from "../columnar";
import type { Append, Field, FromKernel, Snapshot } from "../wire";

export type Values = (number | null)[];

const TIME = "time";

function read(field: Field, buffers: readonly DataView[], count: number): Values {
  const value = column(field, buffers);
  return Array.from({ length: count }, (_, index) => value(index) as number | null);
}

export class Points {
  times: number[] = [];
  values = new Map<string, Values>();
  revision: number | null = null;
  known = false;
  private listeners = new Set<() => void>();

  constructor(
    private readonly ask: () => void,
    /** Seconds before the last point that are kept; 0 keeps all. */
    private readonly keep: () => number,
  ) {}

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  receive(message: FromKernel, buffers: readonly DataView[]): void {
    if (message.kind === "snapshot") this.replace(message, buffers);
    else if (message.kind === "append") this.append(message, buffers);
  }

  get(key: string): Values {
    return this.values.get(key) ?? this.times.map(() => null);
  }

  private replace(message: Snapshot, buffers: readonly DataView[]): void {
    if (this.revision === message.revision) return;
    this.times = [];
    this.values = new Map();
    this.add(message, buffers);
    this.known = true;
  }

  private append(message: Append, buffers: readonly DataView[]): void {
    if (this.revision === null || message.revision <= this.revision) return;
    if (message.base !== this.revision) {
      this.revision = null;
      this.ask();
      return;
    }
    this.add(message, buffers);
  }

  private add({ fields, count, revision }: Snapshot | Append, buffers: readonly DataView[]): void {
    const before = this.times.length;
    for (const field of fields) {
      const values = read(field, buffers, count);
      if (field.key === TIME) this.times.push(...(values as number[]));
      else this.values.set(field.key, [...(this.values.get(field.key) ?? new Array<null>(before).fill(null)), ...values]);
    }
    for (const values of this.values.values()) while (values.length < this.times.length) values.push(null);
    this.revision = revision;
    this.forget();
    for (const listener of this.listeners) listener();
  }

  private forget(): void {
    const keep = this.keep();
    const last = this.times.at(-1);
    if (!keep || last === undefined) return;
    const first = this.times.findIndex((time) => time >= last - keep);
    if (first <= 0) return;
    this.times.splice(0, first);
    for (const values of this.values.values()) values.splice(0, first);
  }
}
