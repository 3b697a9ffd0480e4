# Keeps: the journal of records and the small stores.
