"""What `make soak` runs, a file a job: each takes a score, its own chance, and when it is to be over."""
