"""Options that several commands share, and what they mean."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import InvalidParameterError
from ..core.paths import user_path

if TYPE_CHECKING:
    from ..engines.common.contract import Engine
    from ..model.network import SpinNetwork
    from ..model.scales import EnergyScales

ProtocolName = Annotated[
    str,
    typer.Option(
        "--protocol",
        help="cooperative, local (J = 0 and the field that costs the same on that network, Eq. 19), polarised, or "
        "polarised-local (J = 0); -J and --field are always the cooperative protocol's.",
    ),
]
Duration = Annotated[str, typer.Option("--duration", help="Duration with its unit: 20ns, 60us.")]
Coupling = Annotated[float, typer.Option("-J", "--coupling", help="J in units of B(s)/2; ferromagnetic below 0.")]
Field = Annotated[float, typer.Option("--field", help="h in units of B(s)/2; charges below 0.")]
SHold = Annotated[float, typer.Option("--s-hold", help="Annealing fraction s in the hold.")]
Tolerance = Annotated[
    float | None,
    typer.Option(
        "--tolerance",
        help="Promised error of exact engines (1e-6): absolute in mu, relative in the precision. The tensor engine "
        "raises its bond dimension until the error of mu is below it (2e-3).",
    ),
]
EngineName = Annotated[
    str,
    typer.Option(
        "--engine",
        help="auto (exact where it can be), product, symmetric (orbits of the network's symmetries), statevector, "
        "tensor (a tree of tensors, with an error), qtealeaves (the paper's package), lindblad (a density matrix), "
        "trajectories (sampled noise), emulator (an annealer's reads), or the approximations mean-field and "
        "truncated-wigner.",
    ),
]
NetworkText = Annotated[
    str,
    typer.Option(
        "--network",
        help="torus:3x4, tilted-torus:3x1, ring:5, complete:6, pegasus:4, pegasus:16/missing:28:seed:7/region:4, "
        "pegasus:16/scattered:400:seed:1, zephyr:6, solver:properties.json, file:graph.graphml, "
        "file:bonds.csv?weight=J.",
    ),
]
Reads = Annotated[int | None, typer.Option("--reads", min=2, help="Reads of the emulator (1000).")]
Temperature = Annotated[float | None, typer.Option("--temperature", help="Of the emulator, in mK (18).")]
Sweeps = Annotated[
    int | None,
    typer.Option("--sweeps", min=1, help="Monte Carlo sweeps of the emulator over the whole protocol (5000)."),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict", help="Refuse what an Advantage QPU would refuse of the emulator's runs, instead of a note on it."
    ),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", min=0, help="Of the emulator or the trajectories; derived from the problem by default."),
]
Noise = Annotated[
    str,
    typer.Option(
        "--noise",
        help="Rates of x, y, z, depolarising or relaxation (at a temperature), joined by +: x:1e-3/ns, z:3.5kHz, "
        "relaxation:1e-4/ns@16mK; x:1e-3/ns;2e-3/ns is one rate per spin.",
    ),
]
Trajectories = Annotated[int | None, typer.Option("--trajectories", min=2, help="Of that engine (500).")]
First = Annotated[
    int | None,
    typer.Option("--first", min=0, help="Number of the first trajectory: runs of one seed then differ."),
]
OneJump = Annotated[
    str | None,
    typer.Option(
        "--one-jump",
        help="quadrature or sampled: how trajectories with one jump are treated; by default what the number of "
        "trajectories makes worth it. Runs that are to be merged need the same.",
    ),
]
Single = Annotated[
    bool,
    typer.Option(
        "--single",
        help="Single precision of the statevector (--tolerance 1e-5 or more) and tensor engines: faster for many "
        "spins.",
    ),
]
BondDimension = Annotated[
    str | None,
    typer.Option(
        "--bond-dimension",
        help="Of the tensor engine: 20 is one run, whose error is not known; 10,16,24 are checked against each other. "
        "Of the qtealeaves engine: one number (10).",
    ),
]
Expansion = Annotated[
    str | None,
    typer.Option(
        "--expansion", help="Of the tensor engine: directions each link may exchange in a step (0), or all (two-site)."
    ),
]
Scales = Annotated[
    str | None,
    typer.Option("--energy-scales", help="Vendor's .xlsx or a .csv with A(s), B(s); default: Advantage_system6."),
]
Sheet = Annotated[str | None, typer.Option("--sheet", help="Sheet of the .xlsx.")]
Crosstalk = Annotated[float, typer.Option("--crosstalk", help="Parasitic coupling J_CT in units of B(s)/2.")]
CrosstalkPairs = Annotated[str, typer.Option("--crosstalk-pairs", help="neighbours or all.")]
CrosstalkSpread = Annotated[
    float, typer.Option("--crosstalk-spread", min=0.0, help="Standard deviation of J_CT from pair to pair.")
]
CrosstalkSeed = Annotated[int | None, typer.Option("--crosstalk-seed", min=0, help="Of that spread.")]
EqualCost = Annotated[
    bool,
    typer.Option("--equal-cost", help="Scale the field to the integrated cost of the cooperative reference."),
]
CostReference = Annotated[
    float | None,
    typer.Option("--cost-reference", help="s_hold of the cooperative reference of --equal-cost (default 0.35)."),
]
StoreFolder = Annotated[
    str | None, typer.Option("--store", help="Folder of records: runs found there are not run again, others are kept.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes; one a core by default, 1 is this process alone.")
]
IncludeUncharged = Annotated[
    bool,
    typer.Option(
        "--include-uncharged", help="Fit runs too that are not charged, or all or nothing; they are refused otherwise."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]


def build_engine(
    name: str, tolerance: float | None, **options: float | str | tuple[int, ...] | None
) -> tuple[Engine | str, float | None]:
    """The engine by its name, or with the options that were given, and the tolerance that is left to say.

    Raises:
        EngineError: no engine of that name.
        InvalidParameterError: an option that the engine has not.
    """
    from dataclasses import fields

    from ..engines.registry import ENGINES, engine_type

    given: dict[str, Any] = {option: value for option, value in options.items() if value is not None}
    if not given:
        return name, tolerance
    if tolerance is not None:
        given["tolerance"] = tolerance
    known = ["tolerance"] if name == "auto" else [field.name for field in fields(engine_type(name))]
    strange = [option for option in given if option not in known]
    if strange:
        fitting = [other for other, kind in ENGINES.items() if {field.name for field in fields(kind)} >= set(strange)]
        remedy = f", or use --engine {' or '.join(fitting)}" if fitting else ""
        spelled = ", ".join("--" + option.replace("_", "-") for option in strange)
        them = "them" if len(strange) > 1 else "it"
        raise InvalidParameterError(f"the {name} engine has no {spelled}; leave {them} out{remedy}.")
    return engine_type(name)(**given), None


def bond_dimensions(text: str | None) -> int | tuple[int, ...] | None:
    """One number or several of ``--bond-dimension``."""
    if text is None:
        return None
    try:
        several = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InvalidParameterError(
            f"--bond-dimension must be a whole number or several with commas, such as 10,16,24, but is {text!r}."
        ) from None
    return several if len(several) > 1 else several[0]


def expansion_directions(text: str | None) -> int | str | None:
    """A number, or ``all``, of ``--expansion``; the engine checks it."""
    return int(text) if text is not None and text.isdecimal() else text


def build_network(
    text: str, crosstalk: float = 0.0, pairs: str = "neighbours", spread: float = 0.0, seed: int | None = None
) -> SpinNetwork:
    """Network from its text form, with cross-talk where it is asked for."""
    from ..model.network_text import parse_network

    if pairs not in ("neighbours", "all"):
        raise InvalidParameterError(f"--crosstalk-pairs must be neighbours or all, but is {pairs!r}.")
    if pairs == "all" and not (crosstalk or spread):
        raise InvalidParameterError(
            "--crosstalk-pairs all says where, but --crosstalk does not say how much; give both."
        )
    if seed is not None and not spread:
        raise InvalidParameterError("--crosstalk-seed is that of --crosstalk-spread, which is not given; give both.")
    network = parse_network(text)
    if not (crosstalk or spread):
        return network
    return network.with_crosstalk(crosstalk, "all" if pairs == "all" else "neighbours", spread=spread, seed=seed)


def build_scales(path: str | None, sheet: str | None, networks: Sequence[SpinNetwork]) -> EnergyScales:
    """Energy scales from a file, or the default where the networks may have it."""
    if path is None:
        if sheet is not None:
            raise InvalidParameterError("--sheet names a sheet of --energy-scales; give both.")
        from ..model.scales import advantage_system6
        from ..model.topology import scales_for

        for network in networks:
            scales_for(network, None)
        if ideal := [network.name for network in networks if network.lattice == "zephyr" and not network.solver]:
            print(
                f"note: {', '.join(ideal)}: an ideal graph, charged with the A(s), B(s) of Advantage_system6, a "
                "pegasus chip; --energy-scales gives those of a zephyr chip, whose B(1) is almost twice as large.",
                file=sys.stderr,
            )
        return advantage_system6()
    from ..model.spreadsheet import from_spreadsheet

    return from_spreadsheet(path, sheet)


def check_target(path: str | None, endings: tuple[str, ...]) -> None:
    """Refuse an output path that cannot be written, before any work is done."""
    if path is None:
        return
    target = user_path(path)
    if target.suffix not in endings:
        raise InvalidParameterError(f"{path!r} must end in {' or '.join(endings)}.")
    if target.is_dir():
        raise InvalidParameterError(f"cannot write {path!r}: it is a folder; give a file name.")
    if not target.resolve().parent.is_dir():
        raise InvalidParameterError(f"cannot write {path!r}: its folder does not exist; make it first.")
