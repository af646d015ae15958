"""The devices that there are: found by NVML, declared in the settings, or simulated."""

from allotment.inventory.discovery import Discovery, Inventory, discover

__all__ = ["Discovery", "Inventory", "discover"]
