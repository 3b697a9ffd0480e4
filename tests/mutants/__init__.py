"""Ways to break the product on purpose, and the machines that have to find each."""
