# Parts that only some boards have; a board's file says which, and only those are loaded.
