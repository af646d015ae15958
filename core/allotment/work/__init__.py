"""The periodic work of the control plane, and what it needs of the hub."""
