"""Starting the hub on one machine: ``python -m allotment_hub.launch``."""
