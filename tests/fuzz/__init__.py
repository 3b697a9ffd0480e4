"""Foreign bytes for every decoder that meets them: each case ends in a valid value or the decoder's own error."""
