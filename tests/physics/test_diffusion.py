"""Diffusion coefficients against closed numbers, scalings and the tensor they make."""

import numpy as np
import pytest

from mcprop import diffusion, frames
from mcprop.units import C_CM_S, C_LIGHT, CM2_PER_S

RIGIDITY = np.geomspace(1.0, 1e9, 28)


def kinetic(rigidity, field=3.0, critical=3e6, beta=1.0):
    return diffusion.kinetic_tensor(rigidity, beta, field, critical, 10.0, 1.0 / 3.0)


def test_gyroradius_in_gaussian_units():
    # r_g = p c/(Z e B) = R[statvolt]/B; 1 V = 1e8/c statvolt
    centimetres = 1e9 * (1e8 / C_CM_S) / 1e-6
    assert diffusion.gyroradius(1.0, 1.0) * 3.0856775815e18 == pytest.approx(centimetres, rel=1e-12)


def test_bohm_normalisation():
    k0 = diffusion.bohm_normalisation(3.0, 3e6, 10.0, 1.0 / 3.0) / CM2_PER_S
    assert k0 == pytest.approx(4.98e26, rel=5e-3 / 4.98)
    parallel, _ = kinetic(3e6)
    assert parallel / CM2_PER_S == pytest.approx(3.3e28, rel=0.02)


def test_mean_free_path_equals_the_gyroradius_at_the_critical_rigidity():
    parallel, perp = kinetic(3e6)
    assert 3.0 * parallel / C_LIGHT == pytest.approx(diffusion.gyroradius(3e6, 3.0), rel=1e-12)
    assert perp == pytest.approx(parallel / 2.0, rel=1e-12)


@pytest.mark.parametrize("beta", [1.0, 0.5])
def test_omega_tau_is_a_power_of_the_rigidity(beta):
    parallel, perp = kinetic(RIGIDITY, beta=beta)
    omega_tau = (RIGIDITY / 3e6) ** (-2.0 / 3.0)
    assert parallel / perp == pytest.approx(1.0 + omega_tau**2, rel=1e-12)


def test_kinetic_theory_on_large_scales_would_soften_by_eleven_sixths():
    parallel, perp = kinetic(np.array([1e3, 1e4]))
    softening = np.diff(np.log(np.sqrt(parallel) * perp))[0] / np.log(10.0)
    assert softening == pytest.approx(11.0 / 6.0, abs=2e-3)
    assert 2.85 - softening == pytest.approx(1.02, abs=5e-3)


@pytest.mark.parametrize("field", [1.0, 9.0])
def test_stronger_field_means_slower_diffusion(field):
    parallel, perp = kinetic(RIGIDITY, field=field)
    reference = kinetic(RIGIDITY)
    assert parallel == pytest.approx(reference[0] * 3.0 / field, rel=1e-12)
    assert perp == pytest.approx(reference[1] * 3.0 / field, rel=1e-12)


@pytest.mark.parametrize("critical", [3e5, 3e7])
def test_parallel_diffusion_grows_as_two_thirds_of_the_critical_rigidity(critical):
    ratio = kinetic(RIGIDITY, critical=critical)[0] / kinetic(RIGIDITY)[0]
    assert ratio == pytest.approx((critical / 3e6) ** (2.0 / 3.0), rel=1e-12)


def test_wandering_tensor():
    assert diffusion.wandering_tensor(2.0, 3.0, 0.1) == pytest.approx((6.0, 6e-4))


def test_tensor_has_the_field_as_eigenvector():
    b_hat = frames.unit_vector(48.5, -21.2)
    kappa = diffusion.tensor(5.0, 0.25, b_hat)
    assert kappa @ b_hat == pytest.approx(5.0 * b_hat)
    assert np.linalg.eigvalsh(kappa) == pytest.approx([0.25, 0.25, 5.0])


def test_normal_coefficient_and_product_are_those_of_the_tensor():
    rng = np.random.default_rng(2)
    for _ in range(50):
        b_hat, normal, vector = frames.normalise(rng.normal(size=(3, 3)))
        kappa = diffusion.tensor(5.0, 0.25, b_hat)
        k_xx = diffusion.normal_coefficient(5.0, 0.25, normal @ b_hat)
        assert k_xx == pytest.approx(normal @ kappa @ normal, rel=1e-12)
        product = diffusion.apply_tensor(5.0, 0.25, b_hat, vector)
        assert product == pytest.approx(kappa @ vector, abs=1e-14)


def test_product_broadcasts_over_rigidities():
    parallel, perp = kinetic(RIGIDITY)
    b_hat, vectors = frames.unit_vector(30.0, 40.0), np.ones((len(RIGIDITY), 3))
    product = diffusion.apply_tensor(parallel, perp, b_hat, vectors)
    last = diffusion.apply_tensor(parallel[-1], perp[-1], b_hat, vectors[-1])
    assert product.shape == (len(RIGIDITY), 3)
    assert product[-1] == pytest.approx(last)
