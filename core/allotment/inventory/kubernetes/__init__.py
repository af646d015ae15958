"""The devices of a cluster: counted from its nodes, watched, and told from what others use of them."""
