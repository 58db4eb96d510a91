"""The table of measured dipoles: complete, plausible, each with its publication."""

import re

import numpy as np

from mcprop import measurements

ADS_BIBCODE = re.compile(r"^[12]\d{3}[\w&.]{14}[A-Z]$")


def test_every_measurement_has_numbers_and_a_reference():
    table = measurements.dipoles()
    assert len(table) > 50
    assert len({m.experiment for m in table}) >= 10
    for m in table:
        assert 100.0 <= m.energy <= 1e7
        assert 0.0 < m.amplitude_err < m.amplitude < 1e-2
        assert -180.0 <= m.ra <= 180.0
        assert 0.0 < m.ra_err < 104.0
        assert ADS_BIBCODE.match(m.reference), m.reference


def test_the_sky_turns_at_100_tev():
    """All arrays that see both sides of 100 TeV agree that the phase leaves b_hat's side."""
    table = measurements.dipoles()
    below = [m.ra for m in table if 1e3 <= m.energy <= 2e4]
    above = [m.ra for m in table if m.energy >= 2e5]
    assert 20.0 < np.median(below) < 50.0
    assert -135.0 < np.median(above) < -70.0
