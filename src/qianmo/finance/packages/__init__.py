"""The packages of consolidation money: mine to quota, wellness bundle, homestead swap, mine and photovoltaics (组合包)."""
