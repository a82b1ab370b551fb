"""EXT: external data, what links say and what lies behind them."""
