"""Says what is wrong with a terminal and what to do about it, over its cable or through the bridge."""
