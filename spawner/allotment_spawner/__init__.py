"""JupyterHub spawners that admit a launch before it starts and release its devices on proof."""
