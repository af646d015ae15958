"""The operator console's panels, one module each, in the order of the rail."""

from allotment_widgets.panels.overview import OverviewPanel
from allotment_widgets.panels.panel import Panel
from allotment_widgets.panels.servers import ServersPanel

PANELS: tuple[type[Panel], ...] = (OverviewPanel, ServersPanel)

__all__ = ["PANELS", "Panel"]
