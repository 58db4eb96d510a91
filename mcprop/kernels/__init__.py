"""The compiled loops: random numbers, vector maths, walks, scores; no unit, no formula."""
