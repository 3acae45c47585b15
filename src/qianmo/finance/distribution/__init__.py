"""Who gets what: equity in kind, dividends, increments, exit, games and claims, all exact to the fen (收益分配)."""
