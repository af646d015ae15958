import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, duration, money, number, plural, relative } from "../src/words";

const table = <T extends unknown[]>(name: string, say: (...given: T) => string, rows: [...T, string][]): void => {
  for (const row of rows) {
    const wanted = row.at(-1) as string;
    const given = row.slice(0, -1) as unknown as T;
    test(`${name} of ${JSON.stringify(given)} is “${wanted}”`, () => assert.equal(say(...given), wanted));
  }
};

table("duration", duration, [
  [-5, "0 s"],
  [59.9, "59 s"],
  [60, "1 min"],
  [3_599, "59 min"],
  [3_600, "1 h 00 min"],
  [8_040, "2 h 14 min"],
  [86_400, "1 d 00 h"],
  [273_600, "3 d 04 h"],
]);

table("relative time", relative, [
  [100, 102, "just now"],
  [100, 142, "42 s ago"],
  [1_000, 100, "in 15 min"],
  [0, 7_300, "2 h ago"],
  [0, 200_000, "2 d ago"],
]);

table("money", money, [
  [1489.6, "€", null, "€ 1,489.60"],
  [-3, "€", null, "−€ 3.00"],
  [2.4, "", 1, "2.4"],
]);

table("size", bytes, [
  [0, "0 B"],
  [1_023, "1,023 B"],
  [17_179_869_184, "16 GiB"],
  [1_610_612_736, "1.5 GiB"],
]);

table("number", number, [
  [1234.5678, null, "1,234.57"],
  [3, 2, "3.00"],
]);

table("count", plural, [
  [1, ["server", "servers"], "1 server"],
  [10_000, ["server", "servers"], "10,000 servers"],
]);
