"""Pictures too large for the memory, tile by tile."""
