"""Panels, grid, chart and plots of the operator console.

``operator_console()`` shows the console in a notebook. Below it are the widgets it is made of:
``Look`` dresses the page, ``Grid`` shows rows, ``PlotGrid`` devices as squares, ``Chart`` values over
time. Their methods may be called from any thread. Their callbacks run in the thread that reads the
page's messages: hand the work over there, never block. widgets/README.md shows each of them.
"""

from allotment_widgets.chart import Chart, Series
from allotment_widgets.columns import Action, Column, State
from allotment_widgets.console import console_notebook_path, operator_console
from allotment_widgets.grid import Grid
from allotment_widgets.look import Look
from allotment_widgets.plot import Palette, Plot
from allotment_widgets.plots import PlotGrid

__all__ = [
    "Action",
    "Chart",
    "Column",
    "Grid",
    "Look",
    "Palette",
    "Plot",
    "PlotGrid",
    "Series",
    "State",
    "console_notebook_path",
    "operator_console",
]
