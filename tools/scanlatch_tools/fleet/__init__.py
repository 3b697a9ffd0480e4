"""The terminals of a site as a whole: who is there, who is shut out, who was retired."""
