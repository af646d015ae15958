"""The operator console's panels, one module each, in the order of the rail."""

from allotment_widgets.panels.capacity_plan import CapacityPlanPanel
from allotment_widgets.panels.costs import CostsPanel
from allotment_widgets.panels.datasets import DatasetsPanel
from allotment_widgets.panels.groups import GroupsPanel
from allotment_widgets.panels.health import HealthPanel
from allotment_widgets.panels.homes import HomesPanel
from allotment_widgets.panels.instance_types import InstanceTypesPanel
from allotment_widgets.panels.let_in import LetInPanel
from allotment_widgets.panels.models import ModelsPanel
from allotment_widgets.panels.nodes import NodesPanel
from allotment_widgets.panels.overview import OverviewPanel
from allotment_widgets.panels.panel import Panel
from allotment_widgets.panels.pools import PoolsPanel
from allotment_widgets.panels.profiles import ProfilesPanel
from allotment_widgets.panels.queue import QueuePanel
from allotment_widgets.panels.replay import ReplayPanel
from allotment_widgets.panels.servers import ServersPanel
from allotment_widgets.panels.service_accounts import ServiceAccountsPanel
from allotment_widgets.panels.sign_in import SignInPanel
from allotment_widgets.panels.software import SoftwarePanel
from allotment_widgets.panels.sources import SourcesPanel
from allotment_widgets.panels.targets import TargetsPanel
from allotment_widgets.panels.users import UsersPanel

PANELS: tuple[type[Panel], ...] = (
    OverviewPanel,
    PoolsPanel,
    NodesPanel,
    ServersPanel,
    QueuePanel,
    LetInPanel,
    ProfilesPanel,
    InstanceTypesPanel,
    SoftwarePanel,
    SourcesPanel,
    DatasetsPanel,
    TargetsPanel,
    ModelsPanel,
    GroupsPanel,
    UsersPanel,
    HomesPanel,
    ServiceAccountsPanel,
    SignInPanel,
    CostsPanel,
    CapacityPlanPanel,
    ReplayPanel,
    HealthPanel,
)

__all__ = ["PANELS", "Panel"]
