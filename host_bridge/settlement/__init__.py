"""Settlement platforms behind one port, and the outbox that drives them."""
