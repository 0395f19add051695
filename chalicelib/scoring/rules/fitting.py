"""Maximum likelihood by BFGS on the logarithms of the parameters, and when a fit is not to be believed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import msgspec
import numpy as np

from chalicelib.scoring.rules.arrays import Floats

Objective: TypeAlias = Callable[[Floats], tuple[float, Floats]]
"""The mean negative log-likelihood of one member and its gradient, by the parameters' logarithms."""

_ITERATIONS_MAX: Final = 200
_HALVINGS_MAX: Final = 40
_STEP_MAX: Final = 2.0
_ARMIJO: Final = 1e-4
_DECREMENT: Final = 1e-13
_DIFFERENCE: Final = 1e-5
_EDGE: Final = 7.0
_WALL: Final = 4.6
_STEEP: Final = 1e-2
_ERRORS_MAX: Final = 5.0
_WORSE: Final = 1e-6


class Minimum(msgspec.Struct, frozen=True, eq=False):
    """Where the search ended: logarithms of parameters, value, the inverse Hessian there, and how it went."""

    at: Floats
    value: float
    inverse_hessian: Floats
    evaluations: int
    converged: bool


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """Fitted parameters, in the order of `names`, with what the next night needs in order to start from them.

    `standard_errors` and `inverse_hessian` are of the logarithms; the Hessian is that of one member's mean, so it does
    for tomorrow's members as well. `refused` says why a fit is not used; `source` is `fitted`, `kept` or `default`.
    """

    names: tuple[str, ...]
    parameters: tuple[float, ...]
    log_likelihood: float
    members: int
    standard_errors: tuple[float, ...] = ()
    inverse_hessian: tuple[tuple[float, ...], ...] = ()
    evaluations: int = 0
    refused: tuple[str, ...] = ()
    source: str = "fitted"

    def named(self) -> dict[str, float]:
        """The parameters by their names."""
        return dict(zip(self.names, self.parameters, strict=True))


def minimise(objective: Objective, start: Floats, inverse_hessian: Floats | None = None) -> Minimum:
    """The minimum near `start`. Last night's inverse Hessian makes tonight's search a few steps long."""
    at = np.array(start, dtype=np.float64)
    value, slope = objective(at)
    evaluations, known = 1, inverse_hessian is not None
    inverse = np.eye(len(at)) if inverse_hessian is None else np.array(inverse_hessian)
    converged = False
    for _iteration in range(_ITERATIONS_MAX):
        direction = -inverse @ slope
        decrement = -float(slope @ direction)
        if decrement <= 0.0:
            inverse, direction = np.eye(len(at)), -slope
            decrement = float(slope @ slope)
        if decrement < _DECREMENT:
            converged = True
            break
        direction *= min(1.0, _STEP_MAX / max(float(np.abs(direction).max()), 1e-300))
        found = _along(objective, at, value, slope, direction)
        evaluations += found[3]
        if found[3] > _HALVINGS_MAX:
            # No step is better any more: what is left of the slope is rounding.
            converged = decrement < _WORSE
            break
        moved, turned = found[0] - at, found[2] - slope
        at, value, slope = found[0], found[1], found[2]
        inverse = _updated(inverse, moved, turned, first=not known)
        known = True
    return Minimum(at, value, inverse, evaluations, converged)


def _along(
    objective: Objective, at: Floats, value: float, slope: Floats, direction: Floats
) -> tuple[Floats, float, Floats, int]:
    """A step along `direction` that is downhill enough: where, value, slope, and how many were tried."""
    size, fall = 1.0, float(slope @ direction)
    for tried in range(1, _HALVINGS_MAX + 1):
        there = at + size * direction
        new, new_slope = objective(there)
        if np.isfinite(new) and new <= value + _ARMIJO * size * fall:
            return there, new, new_slope, tried
        curve = new - value - size * fall
        best = -fall * size * size / (2.0 * curve) if np.isfinite(new) and curve > 0.0 else 0.0
        size = min(max(best, 0.1 * size), 0.5 * size)
    return at, value, slope, _HALVINGS_MAX + 1


def _updated(inverse: Floats, moved: Floats, turned: Floats, *, first: bool) -> Floats:
    """BFGS's next inverse Hessian; the same where the curvature seen is not positive."""
    curvature = float(moved @ turned)
    if curvature <= 1e-14 * float(np.linalg.norm(moved) * np.linalg.norm(turned)) or curvature <= 0.0:
        return inverse
    if first:
        inverse = np.eye(len(moved)) * (curvature / float(turned @ turned))
    left = np.eye(len(moved)) - np.outer(moved, turned) / curvature
    return left @ inverse @ left.T + np.outer(moved, moved) / curvature


def curvature(objective: Objective, at: Floats) -> Floats:
    """The Hessian, from differences of the analytic gradient."""
    base = objective(at)[1]
    rows = []
    for place in range(len(at)):
        there = at.copy()
        there[place] += _DIFFERENCE
        rows.append((objective(there)[1] - base) / _DIFFERENCE)
    hessian = np.array(rows)
    return (hessian + hessian.T) / 2.0


def fitted(
    objective: Objective,
    names: Sequence[str],
    members: int,
    *,
    start: Floats,
    last: Fit | None = None,
    least: dict[str, float] | None = None,
    around: Floats | None = None,
) -> Fit:
    """The fit of tonight's members; `refused` says why it must not be used, if so.

    `last` is the fit that is in use; `least` are bounds below which a parameter makes no sense; `around` are logarithms
    of the sizes that are usual, where they are not 1.
    """
    centre = np.zeros(len(start)) if around is None else around
    walled = _walled(objective, centre)
    if last is not None and last.inverse_hessian:
        begun = minimise(walled, np.log(last.parameters), np.array(last.inverse_hessian))
    else:
        begun = minimise(walled, start)
    hessian = curvature(walled, begun.at)
    evaluations = begun.evaluations + len(begun.at) + 2
    sound = bool(np.isfinite(hessian).all()) and float(np.linalg.eigvalsh(hessian)[0]) > 0.0
    inverse = np.linalg.inv(hessian) if sound else np.zeros_like(hessian)
    errors = np.sqrt(np.diag(inverse) / max(members, 1))
    fit = Fit(
        names=tuple(names),
        parameters=tuple(np.exp(begun.at).tolist()),
        log_likelihood=-objective(begun.at)[0] * members,
        members=members,
        standard_errors=tuple(errors.tolist()),
        inverse_hessian=tuple(map(tuple, inverse.tolist())) if sound else (),
        evaluations=evaluations,
    )
    old = -objective(np.log(last.parameters))[0] * members if last is not None else None
    refused = _refusals(fit, last, old, least or {}, converged=begun.converged and sound, far=begun.at - centre)
    return msgspec.structs.replace(fit, refused=tuple(refused))


def _walled(objective: Objective, centre: Floats) -> Objective:
    """The objective with a slope beyond 1/100 and 100 times the usual, where a parameter without end comes to rest.

    Members who all buy at one pace, or never stop, push parameters towards infinity for next to no gain.
    """

    def walled(logs: Floats) -> tuple[float, Floats]:
        value, slope = objective(logs)
        far = logs - centre
        beyond = np.sign(far) * np.maximum(np.abs(far) - _WALL, 0.0)
        return value + 0.5 * _STEEP * float(beyond @ beyond), slope + _STEEP * beyond

    return walled


def _refusals(
    fit: Fit, last: Fit | None, old: float | None, least: dict[str, float], *, converged: bool, far: Floats
) -> list[str]:
    reasons = []
    if not converged or not np.isfinite(fit.log_likelihood):
        reasons.append("no_convergence")
    logs = np.log(np.maximum(fit.parameters, 1e-300))
    if float(np.abs(far).max()) > _EDGE or any(fit.named()[name] <= bound for name, bound in least.items()):
        reasons.append("at_the_edge")
    if last is not None and old is not None:
        if fit.log_likelihood < old - _WORSE * abs(old):
            reasons.append("less_likely")
        # Errors of tonight and of last night: a small sample that says little does not count as a jump.
        spread = np.hypot(fit.standard_errors, last.standard_errors or 0.0)
        if (np.abs(logs - np.log(last.parameters)) > _ERRORS_MAX * np.maximum(spread, 1e-9)).any():
            reasons.append("jumped")
    return reasons


def in_use(fit: Fit, last: Fit | None, default: Fit) -> Fit:
    """The fit to score with: tonight's, or where it is refused last night's, or where there is none the default."""
    if not fit.refused:
        return fit
    return msgspec.structs.replace(
        last or default,
        refused=fit.refused,
        source="kept" if last is not None else "default",
    )
