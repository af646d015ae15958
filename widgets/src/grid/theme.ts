/** AG Grid in Allotment's tokens: its colours are variables, so a change of theme needs no redraw. */
import { themeQuartz } from "ag-grid-community";

export const ROW = 42;
export const HEADER = 38;

export const theme = themeQuartz.withParams({
  backgroundColor: "var(--sheet)",
  foregroundColor: "var(--ink)",
  accentColor: "var(--accent)",
  borderColor: "var(--line)",
  fontFamily: "var(--font)",
  fontSize: 14,
  dataFontSize: 14,
  cellTextColor: "var(--ink)",
  headerBackgroundColor: "transparent",
  headerTextColor: "var(--ink-3)",
  headerFontSize: 12.5,
  headerFontWeight: 600,
  headerColumnBorder: false,
  headerColumnResizeHandleColor: "transparent",
  headerRowBorder: true,
  rowBorder: { color: "var(--line)" },
  columnBorder: false,
  wrapperBorder: false,
  wrapperBorderRadius: 0,
  borderRadius: 6,
  cellHorizontalPadding: 14,
  rowHeight: ROW,
  headerHeight: HEADER,
  rowHoverColor: "var(--sunk)",
  oddRowBackgroundColor: "var(--sheet)",
  selectedRowBackgroundColor: "var(--accent-soft)",
  checkboxBorderRadius: 4,
  checkboxUncheckedBorderColor: "var(--line-strong)",
  checkboxUncheckedBackgroundColor: "var(--sheet)",
  checkboxCheckedBackgroundColor: "var(--accent)",
  checkboxCheckedBorderColor: "var(--accent)",
  checkboxCheckedShapeColor: "var(--accent-ink)",
  checkboxIndeterminateBackgroundColor: "var(--accent)",
  checkboxIndeterminateBorderColor: "var(--accent)",
  checkboxIndeterminateShapeColor: "var(--accent-ink)",
  iconSize: 14,
});
