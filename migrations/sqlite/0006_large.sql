-- Large arrivals, of which few are claimed at once. Mostly there are none, and then finding that out costs nothing.
create index arrivals_large on arrivals (arrival_id) where length(sealed) > 65536;
