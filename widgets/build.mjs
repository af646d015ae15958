// Builds the widgets' scripts into the Python package: node build.mjs [--watch]
import { build, context } from "esbuild";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// What is bundled, with the licences that must travel with it.
const BUNDLED = ["ag-grid-community", "ag-stack", "uplot"].map((name) => {
  const folder = join(import.meta.dirname, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json")));
  const text = ["LICENSE.txt", "LICENSE"].map((file) => join(folder, file)).find((file) => existsSync(file));
  return { name: `${name} ${version} (${license})`, text: readFileSync(text, "utf8").trim() };
});

const shared = {
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  loader: { ".css": "text" },
  outdir: "allotment_widgets/static",
  absWorkingDir: import.meta.dirname,
  logLevel: "info",
};
const builds = [
  // Small: these travel with every widget.
  { ...shared, entryPoints: { loader: "src/loader.ts", look: "src/look.ts" } },
  // Large: this one travels once a page.
  {
    ...shared,
    entryPoints: { widgets: "src/main.ts" },
    banner: { js: `/* Contains ${BUNDLED.map(({ name }) => name).join(", ")}: see licences.txt beside this file. */` },
  },
];

if (process.argv.includes("--watch")) {
  for (const options of builds) await (await context(options)).watch();
} else {
  await Promise.all(builds.map((options) => build(options)));
}

const folder = join(import.meta.dirname, shared.outdir);
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "licences.txt"), BUNDLED.map(({ name, text }) => `${name}\n\n${text}\n`).join("\n\n"));
