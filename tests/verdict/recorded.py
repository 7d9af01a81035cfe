"""What was measured of ten runs that are no solutions, and of runs of shipped problems that were 40 s long."""

from typing import NamedTuple

from pinnkit.verdict.balance import Balance, Slab
from pinnkit.verdict.evidence import Evidence
from pinnkit.verdict.progress import Progress


class Measured(NamedTuple):
    """The largest ratios of equations, of their slabs and of conditions, the largest error, and the progress."""

    equation: float | None
    slab: float
    condition: float
    error: float | None
    objective_fell: float | None
    error_fell: float | None
    late_change: float | None
    steps: int
    doubts: tuple[str, ...] = ()


BACKWARDS = "it is ill-posed as an evolution: short waves grow without a bound"
TOO_FEW = "u has order 1 in t but 0 conditions at a fixed t: the solution is not unique"
UNSOLVED = {
    "van der Pol, mu = 3, to t = 20": Measured(0.75, 0.89, 0.0048, 0.91, 1.2, 1.0, 0.16, 1223),
    "Lorenz to t = 3": Measured(1.0, 1.0, 0.031, 1.0, 1.1, 1.0, 1.2, 936),
    "wave with a mode of 4 pi, c = 2": Measured(0.099, 0.21, 0.98, 1.1, 1.0, 1.0, 0.062, 154),
    "Kuramoto-Sivashinsky, 60 s": Measured(0.87, 1.0, 0.3, None, None, None, 0.54, 15),
    "conditions that contradict": Measured(0.44, 0.97, 0.9, None, None, None, 0.096, 50),
    "too few conditions": Measured(0.69, 0.95, 1.0, 0.99, None, None, 2.9, 49, (TOO_FEW,)),
    "a learning rate that is too large": Measured(0.95, 0.99, 1.0, 0.53, 1.0, 0.95, 0.25, 156),
    "10 steps": Measured(0.64, 0.98, 0.86, 0.41, None, None, None, 10),
    "diffusion of the wrong sign": Measured(0.0014, 0.0087, 0.0007, 1.9, 2800.0, 0.36, 0.49, 258, (BACKWARDS,)),
    "a constant added to the residual": Measured(0.011, 0.025, 0.032, 0.8, 19.0, 1.0, 0.18, 231),
}
SHIPPED = {  # with the verdict by the error, and without a reference
    "heat_inverse": (Measured(0.0003, 0.00072, 0.00048, 0.00037, 100.0, 4.0, 0.65, 426), "solved", "falling"),
    "schrodinger": (Measured(0.1, 0.49, 0.019, 1.1, None, None, 0.93, 282), "unsolved", "unsolved"),
    "fisher": (Measured(0.00015, 0.00026, 9.3e-06, 0.00054, None, None, 0.26, 394), "solved", "falling"),
    "sine_gordon": (Measured(0.22, 0.44, 0.0024, 1.4, None, None, 0.25, 247), "unsolved", "unsolved"),
    "reaction": (Measured(0.00058, 0.001, 0.00068, 0.019, 36.0, 4.7, 0.56, 449), "falling", "falling"),
    "poisson_disk": (Measured(0.00037, 0.0031, 0.00034, 0.00016, None, None, 0.013, 304), "solved", "falling"),
    "heat": (Measured(2.7e-05, 7.2e-05, 4.2e-06, 2.5e-06, 58.0, 8.9, 2.2e-05, 801), "solved", "solved"),
    "poisson_2d": (Measured(1.7e-05, 0.00011, 3.4e-05, 1.4e-05, 89.0, 6.7, 9.2e-05, 808), "solved", "solved"),
    "wave": (Measured(1.7e-05, 9.8e-05, 0.00035, 0.00033, 210.0, 9.2, 0.003, 715), "solved", "falling"),
    "helmholtz_2d": (Measured(0.00078, 0.0022, 0.0023, 0.0012, 120.0, 47.0, 0.056, 669), "falling", "falling"),
    "allen_cahn": (Measured(4.5e-05, 0.00017, 4.5e-05, 0.00012, 20.0, 4.6, 0.00041, 1052), "solved", "solved"),
    "oscillator": (Measured(1.8e-09, 3.9e-09, 9e-11, 4.2e-10, 480.0, 15.0, 1.2e-08, 3280), "solved", "solved"),
    "lotka_volterra": (Measured(1e-09, 2.1e-09, 4.9e-12, 4.9e-10, 81.0, 8.1, 4.3e-09, 5422), "solved", "solved"),
    "burgers_inverse": (Measured(0.00028, 0.00093, 0.00037, 0.005, 12.0, 4.7, 0.0055, 1076), "falling", "falling"),
    "advection": (Measured(4.8e-09, 1.1e-08, 5.5e-10, 1.5e-09, 34.0, 12.0, 1.4e-08, 4904), "solved", "solved"),
    "gradient_matching": (Measured(None, 0.0, 4.2e-13, 5.1e-13, 270.0, 13.0, 6.9e-12, 9384), "solved", "solved"),
    "disk": (Measured(0.00075, 0.0016, 0.00013, 0.00015, 14.0, 4.6, 0.00079, 981), "solved", "solved"),
    "pendulum": (Measured(9.4e-05, 0.00018, 2.5e-07, 8e-05, 17000.0, 220.0, 0.02, 512), "solved", "falling"),
    "van_der_pol": (Measured(0.00014, 0.0006, 2.4e-06, 0.00016, 360000.0, 8400.0, 1.4, 1706), "solved", "falling"),
}


def evidence(run: Measured, reference: bool = True, budget: bool = True, **more) -> Evidence:
    """The evidence on a run; without its reference if so asked."""
    equations = {}
    if run.equation is not None:
        equations = {"equation": Balance(run.equation, 1.0, run.equation, Slab("t", 0.2, 0.4, run.slab))}
    known = reference and run.error is not None
    return Evidence(
        equations,
        {"condition": Balance(run.condition, 1.0, run.condition)},
        Progress(run.steps, run.objective_fell, run.error_fell if known else None, budget, by_time=True),
        errors={"u": run.error} if known else {},
        reference="exact" if known else None,
        late_change=run.late_change,
        doubts=run.doubts,
        **more,
    )
