"""The peer qtealeaves as an engine."""
