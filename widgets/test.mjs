// Bundles each test/*.test.ts beside what it tests, and runs them all: node test.mjs
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = join(import.meta.dirname, "test");
const made = mkdtempSync(join(tmpdir(), "widgets-"));
try {
  await build({
    entryPoints: readdirSync(folder).filter((name) => name.endsWith(".test.ts")).map((name) => join(folder, name)),
    outdir: made,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    loader: { ".css": "text" },
    logLevel: "warning",
  });
  const files = readdirSync(made).map((name) => join(made, name));
  process.exitCode = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(made, { recursive: true });
}
