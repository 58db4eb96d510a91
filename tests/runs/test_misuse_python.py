"""Misuse from Python: a sentence of ours for every wrong argument that a sane person gives."""

import numpy as np
import pytest
from astropy import units as u

import mcprop as mp
from mcprop import scenario
from mcprop.errors import McpropError

BEST = "xue-liu-2025"

# (arguments, what the sentence says)
RUN = [
    ({"histories": "many"}, "stop.histories: got"),
    ({"histories": 0}, "stop.histories: got 0"),
    ({"histories": -5}, "stop.histories: got -5"),
    ({"histories": 1e5}, "without a point"),
    ({"histories": float("nan")}, "stop.histories: got nan"),
    ({"histories": [64]}, "a list of 1"),
    ({"histories": True}, "got true"),
    ({"seed": -1}, "monte_carlo.seed: got -1"),
    ({"seed": "x"}, "monte_carlo.seed"),
    ({"seed": 1.5}, "monte_carlo.seed: got 1.5"),
    ({"seed": 2**63}, "monte_carlo.seed"),
    ({"workers": 0}, "at least 1"),
    ({"workers": -1}, "at least 1"),
    ({"workers": "x"}, "at least 1"),
    ({"workers": 1.5}, "at least 1"),
    ({"workers": True}, "at least 1"),
    ({"workers": 10**9}, "at most 1024"),
    ({"executor": "nonsense"}, "nonsense"),
    ({"executor": "dask:"}, "address"),
    ({"executor": 3}, "executor = 3 must be"),
    ({"rel_err": 0}, "stop.rel_err: got 0"),
    ({"rel_err": "x"}, "stop.rel_err"),
    ({"rel_err": 2}, "less than 1"),
    ({"rel_err": float("nan")}, "not finite"),
    ({"seconds": 0}, "stop.seconds: got 0"),
    ({"seconds": "soon"}, "stop.seconds"),
    ({"seconds": float("inf")}, "stop.seconds: got inf"),
    ({"energies": []}, "an empty list"),
    ({"energies": np.array([])}, "an empty list"),
    ({"energies": "x"}, "energies"),
    ({"energies": ["1 pc"]}, "energies"),
    ({"energies": [None]}, "energies"),
    ({"energies": np.nan}, "energies"),
    ({"energies": [1e3, 1e3]}, "twice"),
    ({"energies": -1}, "greater than 0 GeV"),
    ({"energies": 0.5}, "rest energy of He"),
    ({"energies": 1e30}, "1 EeV"),
    ({"energies": [10**400]}, "must be numbers in GeV"),
    ({"energies": 1 * u.pc}, "has unit 'pc'"),
    ({"energies": 1j * u.TeV}, "not real"),
    ({"directory": 3}, "must be a path"),
    ({"directory": ""}, "must be a path"),
    ({"directory": "\x00"}, "must be a path"),
]
NO_ENERGIES = [[], "x", 3j, {"p": 1}, object(), [1e3, "x"]]
NO_CONFIGURATIONS = [None, 3, b"xue-liu-2025", [], {}, object(), True, "", "nothing", "\x00"]
NO_DIRECTORIES = [None, 3, "", "\x00", [], object()]
DIPOLES = [
    ((None,), "energy"),
    (("x",), "energy"),
    (("1 pc",), "has unit 'pc'"),
    ((1 * u.pc,), "has unit 'pc'"),
    ((1e5,), "There is no energy of 100000 GeV; the nearest is 1000.0 GeV."),
    ((np.nan,), "There is no energy"),
    (({},), "energy"),
    (([1e3, 2e3],), "energy"),
    ((1e3, "junk"), "There is no component 'junk'; there are nearby"),
    ((1e3, None), "There is no component"),
    ((1e3, "total", "junk"), "There is no species 'junk'"),
    ((1e3, "total", "all", "junk"), "There is no method 'junk'"),
]


@pytest.fixture(scope="module")
def simulation():
    return mp.Simulation.from_scenario(BEST)


@pytest.fixture(scope="module")
def result(simulation):
    return simulation.analytic(energies=[1e3])


def check(call, said=""):
    """The call is refused in one sentence, without a warning."""
    with pytest.raises(McpropError) as caught:  # warnings are errors here
        call()
    message = str(caught.value)
    assert said in message
    assert message.isprintable()
    assert 0 < len(message) < 500


@pytest.mark.parametrize(("arguments", "said"), RUN, ids=lambda value: ascii(value)[:60])
def test_wrong_arguments_of_a_run(arguments, said, simulation, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check(lambda: simulation.run(**({"energies": 1e3, "histories": 64} | arguments)), said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("energies", NO_ENERGIES, ids=str)
def test_wrong_energies_of_formulas(energies, simulation):
    check(lambda: simulation.analytic(energies), "energies")


@pytest.mark.parametrize("given", NO_CONFIGURATIONS, ids=ascii)
@pytest.mark.parametrize("take", [mp.load, mp.Simulation, mp.Simulation.from_scenario])
def test_what_is_no_configuration(take, given):
    check(lambda: take(given))


@pytest.mark.parametrize("given", [None, 3, b"x", [], "["])
def test_what_is_no_text_of_a_scenario(given):
    check(lambda: scenario.parse(given), "scenario")


@pytest.mark.parametrize("given", [None, 3, [], "x"])
def test_what_is_no_name_of_a_scenario(given):
    check(lambda: scenario.text(given), "no such scenario")


@pytest.mark.parametrize("given", NO_DIRECTORIES, ids=ascii)
def test_what_is_no_directory(given, result, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for call in (result.write, mp.Result.read, mp.Simulation.resume):
        check(lambda call=call: call(given), "must be a path")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", ["nothing", "nothing\x1b[31m\n"])
def test_where_no_run_is(missing, tmp_path):
    for call in (mp.Result.read, mp.Simulation.resume):
        check(lambda call=call: call(tmp_path / missing), "is not a run directory")


@pytest.mark.parametrize(("arguments", "said"), DIPOLES, ids=str)
def test_dipoles_that_are_not_there(arguments, said, result):
    check(lambda: result.dipole(*arguments), said)


@pytest.mark.parametrize("arguments", [(1e3,), (None,), (1e3, "junk")])
def test_maps_that_are_not_there(arguments, result):
    check(lambda: result.sky(*arguments), "There is no map of")
    check(lambda: result.plot_sky(*arguments), "There is no map of")
