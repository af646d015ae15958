"""The settings of a platform: one typed YAML file, folders of profiles, and how they reach the record."""

from allotment.settings.loading import load_settings, parse_settings
from allotment.settings.schema import Settings

__all__ = ["Settings", "load_settings", "parse_settings"]
