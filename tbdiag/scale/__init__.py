"""Where the work of a large scan runs: this process, its children, or a cluster, behind one map."""
