"""Dormand and Prince's pair of orders 5 and 4, RK5(4)7M, which lines and orbits share.

References
----------
Dormand, J. R. & Prince, P. J.: J. Comput. Appl. Math. 6 (1980) 19.
"""

import numpy as np

STAGES = 7

TABLEAU = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [1 / 5, 0.0, 0.0, 0.0, 0.0, 0.0],
        [3 / 40, 9 / 40, 0.0, 0.0, 0.0, 0.0],
        [44 / 45, -56 / 15, 32 / 9, 0.0, 0.0, 0.0],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0.0, 0.0],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0.0],
        [35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
    ]
)
"""Weights of the slopes before each stage; the last row is the fifth order.

The last stage is the end of the step, so that the slope there is the first of the next step.
"""

DIFFERENCE = np.array([71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])
"""Weights of the fifth order less those of the fourth."""
