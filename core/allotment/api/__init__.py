"""The control plane's API: who asks, what they may, and an answer for everything."""
