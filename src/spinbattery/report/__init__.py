"""The reproduction's report: figures, records, audit and one self-contained page."""
