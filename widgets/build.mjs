// Builds the widgets' scripts into the Python package: node build.mjs [--watch]
import { build, context } from "esbuild";
import { readFileSync } from "node:fs";

const { license, version } = JSON.parse(readFileSync(new URL("node_modules/ag-grid-community/package.json", import.meta.url)));
const uplot = JSON.parse(readFileSync(new URL("node_modules/uplot/package.json", import.meta.url)));

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
    banner: { js: `/* Contains AG Grid Community ${version} (${license}, AG Grid Ltd) and uPlot ${uplot.version} (${uplot.license}, Leon Sorokin). */` },
  },
];

if (process.argv.includes("--watch")) {
  for (const options of builds) await (await context(options)).watch();
} else {
  await Promise.all(builds.map((options) => build(options)));
}
