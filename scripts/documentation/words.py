"""The words of a problem file: what each says, with an example, and what each function gives."""

from __future__ import annotations

KEYS = {
    "name": ("the problem's name, for its run folder", "name: heat"),
    "description": ("one line, for lists and reports", "description: A rod that cools."),
    "coordinates": (
        "names and ranges, of numbers and fixed parameters, in the order of the network's inputs; `t` is time",
        "coordinates: {x: [-1, 1], t: [0, 1]}",
    ),
    "fields": ("the unknown functions", "fields: [u]"),
    "parameters": ("numbers, numbers to be learned, inputs of the network with a range", "parameters: {nu: 0.01/pi}"),
    "define": ("names for expressions of parameters, coordinates and earlier names", "define: {Re: 1/nu}"),
    "tables": (
        "known functions through the values of a file, with derivatives: [tables](../language/tables.md)",
        "tables: {q: {file: source.npz, columns: [x, y]}}",
    ),
    "equations": (
        "`left = right`, or an expression meant to be zero; one, a list, or named",
        "equations: {heat: u_t = u_xx}",
    ),
    "conditions": (
        "named; each says where (`at`) and what (`equations`)",
        "conditions: {start: {at: t = 0, equations: u = 0}}",
    ),
    "exact": (
        "a closed form, if there is one: it is checked, and the error is measured against it",
        "exact: {u: exp(-t)*sin(x)}",
    ),
    "reference": (
        "what the error is measured against: `spectral`, `fem`, or a table (`.npz`, `.csv`)",
        "reference: spectral",
    ),
    "periodic": ("coordinates in which the network is periodic, exactly", "periodic: [x]"),
    "transform": (
        "a field's output transform: `softplus`, `exp`, `sigmoid`, `tanh`, `square`",
        "transform: {k: softplus}",
    ),
    "shapes": (
        "named shapes in the space coordinates: [shapes](../language/shapes.md)",
        "shapes: {hole: {disk: {center: [0, 0], radius: 1}}}",
    ),
    "domain": (
        "where to solve: an expression of shapes by `+`, `-`, `&`; else the box of the ranges",
        "domain: box - hole",
    ),
    "units": ("labels of coordinates, fields and parameters; nothing is converted", "units: {x: m, t: s, u: K}"),
    "conserve": (
        "what stays constant in time; its drift is measured: [conserved quantities](../language/conserved.md)",
        'conserve: {mass: "integral(u, x)"}',
    ),
    "quadrature": (
        "nodes along each coordinate of `integral(...)`: [integrals](../language/integrals.md)",
        "quadrature: 40",
    ),
}
"""The keys of a problem file: what it says, an example."""

CONDITION = {
    "at": ("the place: see below", "at: t = 0"),
    "equations": ("what holds there: one, a list, or named", "equations: u = sin(pi*x)"),
    "where": ("a part of the place", "where: x > 0.5"),
    "weight": ("a number or an expression by which the squared residual is multiplied", "weight: 10"),
    "data": (
        "a CSV or NPZ file: the condition holds at its rows, whose other columns can be used by name",
        "data: samples.csv",
    ),
    "hard": ("the condition holds exactly: [hard conditions](../language/hard_conditions.md)", "hard: true"),
}  # fmt: skip
FIELD = {
    "coordinates": ("the coordinates, or other fields, of which it is a function", "k: {coordinates: [x]}"),
    "min": ("a lower bound, which it never passes", "k: {min: 0.1}"),
    "max": ("an upper bound", "k: {max: 10}"),
    "positive": ("above zero", "k: {positive: true}"),
    "complex": ("a complex field: [complex fields](../language/complex_fields.md)", "h: {complex: true}"),
    "parts": (
        "a network in each part of the domain: [regions](../language/regions_and_interfaces.md)",
        "u: {parts: [left, right]}",
    ),
    "range": (
        "of the fields of which it is a function, for the scale of their values",
        "f: {coordinates: [u], range: [0, 1]}",
    ),
}  # fmt: skip
EQUATION = {
    "equation": ("the equation", "equation: u_t = u_xx"),
    "weight": ("a number or an expression by which the squared residual is multiplied", "weight: exp(-t)"),
    "in": ("the shape in which it holds; without it everywhere", "in: left"),
}
PARAMETER = {
    "learn": ("the start of a number that is found from data", "alpha: {learn: 0.5}"),
    "min": ("a lower bound", "alpha: {learn: 0.5, min: 0.1}"),
    "max": ("an upper bound", "alpha: {learn: 0.5, max: 10}"),
    "positive": ("above zero", "alpha: {learn: 0.5, positive: true}"),
    "range": ("an input of the network: one training for all values", "nu: {range: [0.001, 0.1]}"),
    "log": ("spread evenly by the logarithm", "nu: {range: [0.001, 0.1], log: true}"),
}
TABLE = {
    "file": ("a `.csv` or `.npz` file beside the problem's", "q: {file: source.npz}"),
    "columns": ("the coordinates on which it depends", "q: {file: source.npz, columns: [x, y]}"),
    "value": ("the column with the values; else the one named like the table", "q: {file: source.npz, value: heat}"),
    "smooth": ("`linear`, `cubic` (the default) or `quintic`", "q: {file: source.npz, smooth: quintic}"),
}  # fmt: skip

PLACES = {
    "t = 0": "a face: where a coordinate has one value",
    "[x = -1, x = 1]": "several faces",
    "boundary": "the boundary of the domain in space: all faces but those of t",
    "box": "the part of the box's faces that bounds the domain",
    "hole": "the boundary of the shape `hole`, where it lies in the domain's closure; inside the domain an interface",
    "{x: 0, y: 0}": "a point, or a line: coordinates that are not named vary over their range",
}
"""What `at` may say."""

SHAPE_TEXTS = {
    "level_set": ("where an expression is negative", "x^2 + y^4 - 0.04"),
    "mesh": ("what a closed surface of triangles encloses, from an STL or OBJ file, in three coordinates", "part.stl"),
    "outline": ("a polygon with its corners in the rows of a file", "wing.csv"),
}
"""Shapes that a single text describes."""

EXPRESSIONS = {
    "sin": "sin(pi*x)", "cos": "cos(2*pi*x)", "tan": "tan(x)", "asin": "asin(x)", "acos": "acos(x)", "atan": "atan(x)",
    "atan2": "atan2(y, x)", "sinh": "sinh(x)", "cosh": "cosh(x)", "tanh": "tanh(x/0.1)", "exp": "exp(-t)",
    "log": "log(1 + x^2)", "ln": "ln(1 + x^2)", "log10": "log10(1 + x^2)", "sqrt": "sqrt(x^2 + y^2)", "abs": "abs(u)",
    "sign": "sign(x)", "min": "min(x, y, 0)", "max": "max(x, 0)", "where": "where(x > 0 and t < 1, u, v)",
    "heaviside": "heaviside(x)", "erf": "erf(x)", "sigmoid": "sigmoid(x)", "softplus": "softplus(x)",
    "diff": "diff(k*u_x, x)", "integral": "integral(u^2, x)", "laplacian": "laplacian(u)",
    "grad": "dot(grad(u), grad(u))", "div": "div(u, v)", "curl": "curl(u, v)", "dot": "dot(grad(u), grad(v))",
    "re": "re(i*h)", "im": "im(h^2)", "conj": "re(conj(h)*h)", "arg": "arg(h)",
}  # fmt: skip
"""Function -> an expression with it, as in an equation."""

OPERATORS = {
    "a + b, a - b, a*b, a/b": "arithmetic; a product needs its sign: `2*u`, not `2u`",
    "a^b, a**b": "power; binds stronger than a sign before it: `-x^2` is `-(x^2)`",
    "a < b, a <= b, a > b, a >= b": "comparisons, in `where(...)` and under `where:`; also chained, `0 < x < 1`",
    "and, or, not": "join comparisons",
    "u_x, u_xxt": "derivatives by coordinates, up to order 8",
    "u_n, n_x": "in a condition on a boundary: the outward normal derivative, and a component of the normal",
    "u(x=0)": "a field, or a derivative `u_x(x=0)`, at another place; coordinates that are not named stay",
    "u.left": "the function of one part of the domain, at an interface: `u.left_x`, `u.left_n`",
    "pi, e": "the constants; `i` is the imaginary unit where a field is complex",
}
