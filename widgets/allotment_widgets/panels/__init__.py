"""The operator console's panels, one module each."""
