/** Reads the columns of a message: numbers as typed arrays, texts by dictionary or as a list. */
import type { Field, NumberType } from "./wire";

export type Value = string | number | boolean | null | Value[];

const ARRAYS = {
  f8: Float64Array,
  i4: Int32Array,
  i2: Int16Array,
  i1: Int8Array,
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
} as const;

const decoder = new TextDecoder();

function buffer(buffers: readonly DataView[], index: number): DataView {
  const view = buffers[index];
  if (!view) throw new RangeError(`The message has no buffer ${index}.`);
  return view;
}

/** Copies, because a view into the socket's frame is seldom aligned. Browsers that run Jupyter are little-endian. */
export function numbers(view: DataView, type: NumberType): ArrayLike<number> {
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  return new ARRAYS[type](bytes as ArrayBuffer);
}

export function json<T>(view: DataView): T {
  return JSON.parse(decoder.decode(view)) as T;
}

export function ids(buffers: readonly DataView[], index: number): string[] {
  return json<string[]>(buffer(buffers, index));
}

/** A function from a position in the column to its value. */
export function column(field: Field, buffers: readonly DataView[]): (index: number) => Value {
  if (field.as === "list") {
    const list = json<Value[]>(buffer(buffers, field.buffer));
    return (index) => list[index] ?? null;
  }
  const values = numbers(buffer(buffers, field.buffer), field.type);
  if (field.as === "words") {
    const words = json<string[]>(buffer(buffers, field.words));
    return (index) => words[(values[index] ?? 0) - 1] ?? null;
  }
  return (index) => {
    const value = values[index];
    return value === undefined || Number.isNaN(value) ? null : value;
  };
}

/** Calls `put` for each row that the field has a value for. */
export function scatter(
  field: Field,
  buffers: readonly DataView[],
  count: number,
  put: (row: number, value: Value) => void,
): void {
  const value = column(field, buffers);
  if (field.at === undefined) {
    for (let row = 0; row < count; row++) put(row, value(row));
    return;
  }
  const at = numbers(buffer(buffers, field.at), "u4");
  for (let index = 0; index < at.length; index++) put(at[index]!, value(index));
}
