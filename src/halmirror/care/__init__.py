"""Care of the mirror's file: examining, copying, renewing, pruning, forgetting."""
