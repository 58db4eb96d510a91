"""The compiled loops: random numbers, vector maths, walks and scores.  Nothing here knows a unit or
a formula.
"""
