"""Large networks of which every spin is a vector: approximations that say so."""
