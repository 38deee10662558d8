"""Where values come from: from features through their sources' SQL to the columns that nothing is made of."""
