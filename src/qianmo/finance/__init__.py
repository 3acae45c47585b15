"""Money: cash flows, taxes, debt, risk, photovoltaics, equity and exit of a consolidation project (资金)."""
