# Shows: light and tone.
