/** The invisible widget that dresses a page: tokens, pieces, and ipywidgets' own controls in them. */
import type { Render } from "@anywidget/types";
import panels from "./console/console.css";
import { followCopying } from "./copying";
import controls from "./look/controls.css";
import { followTheme, wear } from "./theme";

export default {
  initialize: (): void => {
    followTheme();
    followCopying();
    wear("controls", controls);
    wear("panels", panels);
  },
  render: (({ el }) => {
    el.style.display = "none";
  }) satisfies Render,
};
