/** The script that all grids, charts and groups of plots of a page share. */
import { chart } from "./chart/chart";
import { grid } from "./grid/grid";
import type { Parts } from "./loader";
import { plots } from "./plots/plots";
import { followTheme } from "./theme";

followTheme();

export const parts: Parts = { grid, chart, plots };
