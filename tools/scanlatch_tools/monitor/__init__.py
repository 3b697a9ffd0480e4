"""Shows a terminal at work, line by line, over its cable or as its bridge hears it."""
