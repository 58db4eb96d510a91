"""The Galaxy with spatially dependent diffusion, by finite volumes.

    (1/r) d_r (r D d_r psi) + d_z (D d_z psi) - loss psi + f = 0,    psi = 0 on the surface

in a cylinder, symmetric about its plane: steady density and gradients (`solve`, `Table`), and the
eigenmodes that make a burst at the centre (`mcprop.galaxy.modes`).
"""

from mcprop.galaxy.grid import Grid, GridSolution
from mcprop.galaxy.halo import Galaxy
from mcprop.galaxy.modes import CentralBurst
from mcprop.galaxy.steady import Solution, Table, solve

__all__ = ["CentralBurst", "Galaxy", "Grid", "GridSolution", "Solution", "Table", "solve"]
