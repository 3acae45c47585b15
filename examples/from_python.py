"""Evaluate and plan an invented township without a project folder: GeoDataFrame in, GeoDataFrame out."""

import numpy as np

from qianmo.evaluation.evaluate import evaluate
from qianmo.geo.adjacency import shared_borders
from qianmo.geo.overlay import share_inside
from qianmo.planning.plan import plan
from qianmo.planning.settings import PlanSettings
from qianmo.planning.verify import verify
from qianmo.village.make import make_township

town = make_township(patches=600, villages=4, rng=np.random.default_rng(7))
patches = town.landuse_patch
layers = {"village": town.village, "basic_farmland": town.basic_farmland, "eco_redline": town.eco_redline}
tables = evaluate(patches, layers, scheme="SD3")
print(tables["fragmentation"].tail(1).T)

geoms = patches.geometry.to_numpy()
result = plan(
    patches, tables["measure_options"], shared_borders(geoms), settings=PlanSettings(start_year=2026),
    basic_share=share_inside(geoms, town.basic_farmland.geometry.to_numpy()),
    redline_share=share_inside(geoms, town.eco_redline.geometry.to_numpy()),
)  # fmt: skip
print(result.after[["patch_id", "class_code"]].head())
print(result.cost_by_measure[["zh", "patches", "total_yuan"]])
checks = verify(result.formulation.problem, result.solution.choice, result.certificate, result.prices)
print(f"gap {result.certificate['gap_rel']:.3%}, {sum(c['ok'] for c in checks)} of {len(checks)} checks hold")
