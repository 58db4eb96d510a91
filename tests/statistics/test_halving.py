"""Half the step and half the last leg: what is run again, and that a wrong leg is caught."""

from dataclasses import replace

import numpy as np
import pytest

from mcprop.burst_walk import BurstWalk
from mcprop.checks import lights
from mcprop.halving import FULL_STEP, LEAST, LONGER_LEG, halving_rows, summary, variants
from mcprop.scenario import load
from mcprop.source import WalkedBurst
from mcprop.trend import Trend

ENERGY, HISTORIES = 1e4, 32_768


def jobs(scenario="xue-liu-2025", energy=ENERGY, **changes):
    config = load(scenario).replace({"species": {"names": ["p"]}, **changes})
    return config.study.planner(config.model(), config.monte_carlo).jobs(energy)


def walked():
    """The job that gives the density of a burst."""
    return next(job for job in jobs() if job.gives == "burst density")


def test_what_is_run_again():
    found = {
        (job.component, job.gives): [v.estimator for v in variants(job, 10**6)] for job in jobs()
    }
    assert found == {
        ("nearby", "dipole"): ["survival, half step"],  # the density outside is constant
        ("nearby", "burst density"): ["walk, half step", "walk, half leg"],
        ("centre", "dipole"): ["walk, half step", "walk, half leg"],
        ("compton-getting", "dipole"): [],
    }
    timed = jobs("xue-liu-2025-time-dependent")[0]
    assert [v.job.name[-1] for v in variants(timed, 10**6)] == ["halved", "shortened"]
    assert [v.histories for v in variants(timed, 10**6)] == [10_000, 40_000]
    assert [v.histories for v in variants(timed, 64)] == [LEAST, LEAST]


def test_closed_forms_have_no_leg():
    for job in jobs(**{"monte_carlo.estimator": "assisted"}):
        assert all(not v.estimator.endswith("half leg") for v in variants(job, 10**6))


def test_half_the_leg_is_the_same_walk_gone_on():
    whole = walked().job.outside
    half = whole.shortened()
    assert half.last == 0.5 * whole.last
    before, after = (walk.burst.age - walk.last for walk in (whole, half))
    assert after / half.steps == pytest.approx(before / whole.steps, rel=0.06)
    assert after / half.steps <= before / whole.steps
    reached = np.array(half.drift) * after
    assert reached == pytest.approx(np.array(whole.drift) * before)
    assert half.mirrored == whole.mirrored


class WrongLeg(BurstWalk):
    """A closed form for a leg that is longer than the one left."""

    def density(self, seed, stream_, first, n):
        right = super().density(seed, stream_, first, n)
        return WalkedBurst(right.burst, right.kicks, 3.0 * self.last, *self.drift, self.mirrored)


def held_against_itself(planned):
    """Rows of a job and of its variant with half the leg, of as many histories."""
    variant = variants(planned, HISTORIES)[1]
    full, half = (job.job.run(1, 0, HISTORIES, 0) for job in (planned, variant))
    return halving_rows(ENERGY, variant, full, half)


@pytest.mark.parametrize(("kind", "verdict"), [(BurstWalk, "agrees"), (WrongLeg, "differs")])
def test_a_result_that_depends_on_the_leg_is_caught(kind, verdict):
    planned = walked()
    outside = planned.job.outside
    outside = kind(*(getattr(outside, name) for name in outside.__dataclass_fields__))
    rows = held_against_itself(replace(planned, job=replace(planned.job, outside=outside)))
    assert [(row.reference, row.quantity, row.verdict) for row in rows] == [
        (LONGER_LEG, "density", verdict)
    ]
    told = summary(rows)
    assert len(told) == 1
    assert told[0].startswith("half the last leg changes the nearby density by ")


def test_coarse_steps_turn_the_light_red():
    """The background in steps of the scale on which the Galaxy varies, not of a fifth of it."""
    config = load("lrmf-sdp").replace({"species": {"names": ["p"]}})
    planned = jobs("lrmf-sdp")
    number = [job.component for job in planned].index("background")
    planned[number] = replace(planned[number], job=replace(planned[number].job, step=1.0))
    outcomes = [job.job.run(1, 0, 2048, 0) for job in planned]
    variant = variants(planned[number], 2048)[0]
    rows = halving_rows(ENERGY, variant, outcomes[number], variant.job.run(1, 0, 2048, 0))
    assert {row.reference for row in rows} == {FULL_STEP}
    trends = [Trend() for _ in planned]
    for trend, outcome in zip(trends, outcomes, strict=True):
        trend.add(outcome)
    assembly = config.study.assembly(config.model(), ENERGY, planned, outcomes)
    made = lights(assembly, planned, trends, rows)
    light = next(x for x in made if x.check == "step halving")
    assert (light.component, light.colour) == ("background", "red")
