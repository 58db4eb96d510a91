"""The model with the time-dependent cloud: geometry, convergence, what the product misses."""

from dataclasses import replace

import numpy as np
import pytest

from mcprop import diffusion
from mcprop.analytic import XueLiu2025, cloud
from mcprop.species import beta_of
from mcprop.units import C_LIGHT

BEST = XueLiu2025()
MOVING = replace(BEST, cloud_mode="time-dependent")
WANDERING = replace(MOVING, cloud_transport="wandering", nearby_r_perp=20.0)


def quadrature_arguments(model, rigidity, sign=1.0, from_face=False):
    """Arguments of `cloud.solve`, the source on either side and from the Sun or from the face."""
    axes = model.cloud_axes
    field = axes @ model.b_hat
    source = sign * 250.0 * field + np.array([0.0, 0.0, 18.5])
    return {
        "depth": model.cloud_depth,
        "kappa": diffusion.tensor(*model.local_tensor(rigidity, "p"), field),
        "flow_speed": model.flow_speed,
        "outer": diffusion.tensor(*model.outer_tensor(rigidity, "p"), field),
        "source": source - np.array([model.cloud_depth if from_face else 0.0, 0.0, 0.0]),
        "age": model.nearby_age,
    }


@pytest.mark.parametrize("rigidity", [1e3, 1e4, 1e5])
def test_model_hands_its_geometry_to_the_quadrature(rigidity):
    arguments = quadrature_arguments(MOVING, rigidity)
    gradient = cloud.grad_ln_density(**arguments)
    speed = C_LIGHT * beta_of(rigidity, "p")
    dipole = 3.0 / speed * (arguments["kappa"] @ gradient) @ MOVING.cloud_axes
    assert MOVING.density("nearby", rigidity, "p") == pytest.approx(cloud.density(**arguments))
    assert MOVING.dipole("nearby", rigidity, "p") == pytest.approx(dipole, rel=1e-9)


@pytest.mark.parametrize(
    ("rigidity", "dipole", "digit", "change"),
    [(1e3, 3.480e-3, 1e-6, -28), (1e4, 2.853e-3, 1e-6, -9), (1e5, 3.39e-4, 1e-6, 3)],
)
def test_independent_prototype_of_the_quadrature(rigidity, dipole, digit, change):
    """Figures of another program, which has the source behind the face instead of ahead of it."""
    arguments = quadrature_arguments(MOVING, rigidity, sign=-1.0, from_face=True)
    ln_psi, gradient = cloud.solve(**arguments)
    ours = 3.0 / C_LIGHT * np.linalg.norm(arguments["kappa"] @ gradient)
    assert ours == pytest.approx(dipole, abs=digit)
    ratio = np.exp(ln_psi) / MOVING.published_density("nearby", rigidity, "p")
    assert 100.0 * (ratio - 1.0) == pytest.approx(change, abs=0.5)


@pytest.mark.parametrize("model", [MOVING, WANDERING])
@pytest.mark.parametrize("depth", [0.1, 1.6, 10.0])
def test_quadrature_has_converged_for_the_model(model, depth):
    for rigidity in (10.0, 1e3, 1e5, 1e7):
        arguments = quadrature_arguments(replace(model, cloud_depth=depth), rigidity)
        coarse = cloud.solve(**arguments)
        fine = cloud.solve(**arguments, nodes=2000)
        assert coarse[0] == pytest.approx(fine[0], abs=1e-9)
        assert coarse[1] == pytest.approx(fine[1], rel=1e-7, abs=1e-10)


def test_published_product_is_not_the_time_dependent_answer():
    rigidity = np.array([1e3, 1e4, 1e5])
    ratio = MOVING.published_density("nearby", rigidity, "p") / MOVING.density(
        "nearby", rigidity, "p"
    )
    assert ratio == pytest.approx([1.308, 1.073, 0.965], abs=5e-4)
    norms = np.linalg.norm(MOVING.published_dipole("nearby", rigidity, "p"), axis=1)
    assert norms / np.linalg.norm(MOVING.dipole("nearby", rigidity, "p"), axis=1) == pytest.approx(
        [0.589, 0.690, 2.513], abs=5e-4
    )


def test_time_dependence_leaves_the_other_components_alone():
    for component in ("centre", "background"):
        assert MOVING.density(component, 1e4, "p") == BEST.density(component, 1e4, "p")
        assert np.array_equal(MOVING.dipole(component, 1e4, "p"), BEST.dipole(component, 1e4, "p"))
    assert MOVING.published_density("nearby", 1e4, "p") == BEST.density("nearby", 1e4, "p")
