"""The words of the house: tables, codes, rules, parameters, records, errors (词汇层)."""
