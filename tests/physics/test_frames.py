"""Frames and velocities against astropy and catalogue directions."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from mcprop import frames
from mcprop.errors import RangeError


@pytest.fixture
def directions():
    vectors = np.random.default_rng(5).normal(size=(200, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def is_rotation(matrix):
    return np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-12) and np.linalg.det(matrix) > 0.0


@pytest.mark.parametrize("frame", ["icrs", "galactic"])
def test_round_trip(directions, frame):
    lon, lat = frames.lon_lat(directions, frame)
    assert frames.unit_vector(lon, lat, frame) == pytest.approx(directions, abs=1e-14)


def test_galactic_coordinates_are_those_of_astropy(directions):
    lon, lat = frames.lon_lat(directions, "galactic")
    expected = SkyCoord(*directions.T, representation_type="cartesian", frame="icrs").galactic
    assert np.all((lon >= 0.0) & (lon < 360.0))
    assert lon == pytest.approx(expected.l.deg, abs=1e-9)
    assert lat == pytest.approx(expected.b.deg, abs=1e-9)


def test_galactic_axes_are_the_catalogued_directions():
    axes = frames.galactic_axes()
    assert is_rotation(axes)
    assert frames.lon_lat(axes[2]) == pytest.approx((192.8595 - 360.0, 27.1283), abs=2e-4)
    assert frames.lon_lat(axes[0]) == pytest.approx((266.4050 - 360.0, -28.9362), abs=2e-4)
    with pytest.raises(ValueError, match="read-only"):
        axes[0, 0] = 1.0


def test_longitude_and_latitude_cannot_be_swapped():
    toward_geminga = frames.unit_vector(195.13, 4.27, "galactic")
    assert frames.lon_lat(toward_geminga) == pytest.approx((98.48, 17.77), abs=0.01)
    swapped = frames.unit_vector(4.27, 195.13, "galactic")
    assert frames.angle_between(toward_geminga, swapped) > 0.1


def test_right_ascension_is_within_half_a_turn_of_zero():
    assert frames.lon_lat([0.0, -1.0, 0.0]) == (-90.0, 0.0)
    assert frames.lon_lat([0.0, -1.0, 0.0], "icrs")[0] == -90.0


def test_unknown_frame_and_zero_vector_are_refused():
    with pytest.raises(RangeError, match="'ecliptic' is not known"):
        frames.unit_vector(0.0, 0.0, "ecliptic")
    with pytest.raises(RangeError, match="has no direction"):
        frames.normalise([0.0, 0.0, 0.0])


def test_field_frame_is_a_rotation_with_the_field_as_third_axis(directions):
    for b_hat in np.vstack([directions, np.eye(3), -np.eye(3)]):
        axes = frames.field_frame(b_hat)
        assert is_rotation(axes)
        assert axes[2] == pytest.approx(b_hat, abs=1e-15)


def test_cloud_frame_has_depth_against_the_motion_and_the_field_in_its_first_plane(directions):
    for u_hat, b_hat in zip(directions[:100], directions[100:], strict=True):
        axes = frames.cloud_frame(u_hat, b_hat)
        field = axes @ b_hat
        assert is_rotation(axes)
        assert axes @ u_hat == pytest.approx([-1.0, 0.0, 0.0], abs=1e-14)
        assert field[1] > 0.0
        assert field[2] == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_cloud_frame_of_a_field_along_the_motion(directions, sign):
    axes = frames.cloud_frame(directions[0], sign * directions[0])
    assert is_rotation(axes)
    assert axes[0] == pytest.approx(-directions[0], abs=1e-15)


def test_lsr_velocity_adds_the_solar_motion_on_galactic_axes():
    uvw = np.array([11.1, 15.5, 7.25])
    only_sun = SkyCoord(
        *(frames.lsr_velocity(np.zeros(3), uvw)), representation_type="cartesian", frame="icrs"
    ).galactic
    assert only_sun.cartesian.xyz.to_value(u.one) == pytest.approx(uvw, abs=1e-10)
    u_hc = np.array([1.0, 2.0, 3.0])
    assert frames.lsr_velocity(u_hc, np.zeros(3)) == pytest.approx(u_hc)


def test_small_angles_are_accurate():
    first = frames.unit_vector(0.0, 0.0)
    assert frames.angle_between(first, frames.unit_vector(0.0, 1e-7)) == pytest.approx(
        np.radians(1e-7), rel=1e-9
    )
    assert frames.angle_between(first, -first) == np.pi
