"""Tree tensor networks by TDVP."""
