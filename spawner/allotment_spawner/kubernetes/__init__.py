"""Servers as pods: KubeSpawner with admission before it and proof after it."""
