"""States of many spins as trees of tensors, and their motion by the time-dependent variational principle."""
