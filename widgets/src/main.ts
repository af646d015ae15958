/** The script that all grids, charts and groups of plots of a page share. */
import { chart } from "./chart/chart";
import { arrival } from "./console/arrival";
import { head } from "./console/head";
import { rail } from "./console/rail";
import { grid } from "./grid/grid";
import type { Parts } from "./loader";
import { plots } from "./plots/plots";
import { followTheme } from "./theme";

followTheme();

export const parts: Parts = { grid, chart, plots, rail, head, arrival };
