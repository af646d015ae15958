/** Rows by id with a revision: what a grid or a group of plots holds between two messages. One for each model, shared by its views. */
import { ids, scatter, type Value } from "./columnar";
import type { Delta, FromKernel, Snapshot } from "./wire";

export type Row = { readonly id: string; readonly [key: string]: Value };

export type Change =
  /** `first`: nothing was known before, and what is selected is the kernel's word. */
  | { kind: "replaced"; first: boolean }
  | { kind: "changed"; added: Row[]; updated: Row[]; removed: Row[] }
  | { kind: "selected" };

export class Table {
  rows = new Map<string, Row>();
  selected = new Set<string>();
  /** null: nothing has arrived yet, or a snapshot was asked for. */
  revision: number | null = null;
  /** Whether a snapshot has ever arrived: until then views say that they load. */
  known = false;
  private listeners = new Set<(change: Change) => void>();

  constructor(private readonly ask: () => void) {}

  listen(listener: (change: Change) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  receive(message: FromKernel, buffers: readonly DataView[]): void {
    if (message.kind === "snapshot") this.replace(message, buffers);
    else if (message.kind === "delta") this.change(message, buffers);
    else if (message.kind === "select") this.select(message.ids);
  }

  private replace(message: Snapshot, buffers: readonly DataView[]): void {
    // Another view or page asked; this one has it already.
    if (this.revision === message.revision) return;
    const drafts = ids(buffers, message.ids ?? 0).map((id) => ({ id }) as Record<string, Value>);
    for (const field of message.fields) {
      scatter(field, buffers, message.count, (row, value) => (drafts[row]![field.key] = value));
    }
    this.rows = new Map(drafts.map((draft) => [draft["id"] as string, draft as Row]));
    const first = !this.known;
    // Later what is selected here is newer: the kernel may not have heard of a click when it sent this.
    const selected = first ? (message.selected ?? []) : this.selected;
    this.selected = new Set([...selected].filter((id) => this.rows.has(id)));
    this.revision = message.revision;
    this.known = true;
    this.tell({ kind: "replaced", first });
  }

  private change(message: Delta, buffers: readonly DataView[]): void {
    if (this.revision === null || message.revision <= this.revision) return;
    if (message.base !== this.revision) {
      this.revision = null;
      this.ask();
      return;
    }
    this.revision = message.revision;
    const removed = this.remove(message.removed);
    const { added, updated } = this.merge(message, buffers);
    this.tell({ kind: "changed", added, updated, removed });
  }

  private remove(names: string[]): Row[] {
    const gone = names.map((id) => this.rows.get(id)).filter((row) => row !== undefined);
    for (const row of gone) {
      this.rows.delete(row.id);
      this.selected.delete(row.id);
    }
    return gone;
  }

  /** Rows are replaced, never changed in place: views compare the old with the new. */
  private merge(message: Delta, buffers: readonly DataView[]): { added: Row[]; updated: Row[] } {
    const names = ids(buffers, message.ids);
    const drafts = names.map((id) => ({ id, ...this.rows.get(id) }) as Record<string, Value>);
    for (const field of message.fields) {
      scatter(field, buffers, message.count, (row, value) => (drafts[row]![field.key] = value));
    }
    const added: Row[] = [];
    const updated: Row[] = [];
    for (const draft of drafts as Row[]) {
      (this.rows.has(draft.id) ? updated : added).push(draft);
      this.rows.set(draft.id, draft);
    }
    return { added, updated };
  }

  private select(names: string[]): void {
    this.selected = new Set(names.filter((id) => this.rows.has(id)));
    this.tell({ kind: "selected" });
  }

  private tell(change: Change): void {
    for (const listener of this.listeners) listener(change);
  }
}
