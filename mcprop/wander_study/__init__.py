"""Studies of fields that wander: what `mcprop wander` runs, writes, draws and says."""
