"""The reproduction of arXiv:2410.22212: one module for each figure or table, an audit of every number, one report."""
