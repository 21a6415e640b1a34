"""Questions that a program in trouble is asked: where a nan came from, why there is no gradient, who holds a graph."""
