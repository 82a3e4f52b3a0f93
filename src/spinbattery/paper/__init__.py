"""The reproduction of arXiv:2410.22212: one module for each figure or table, and an audit of every number."""
