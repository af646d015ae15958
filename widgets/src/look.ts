/** The invisible widget that dresses a page: tokens, pieces, and ipywidgets' own controls in them. */
import type { Render } from "@anywidget/types";
import controls from "./look/controls.css";
import { followTheme, wear } from "./theme";

export default {
  initialize: (): void => {
    followTheme();
    wear("controls", controls);
  },
  render: (({ el }) => {
    el.style.display = "none";
  }) satisfies Render,
};
