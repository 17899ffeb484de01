"""Small models for tables, as their YAML files would have them, for tests that fit."""

from typing import Any

STOPPING: dict[str, Any] = {
    "_target_": "crossover.models.classical.xgboost_model.XGBoost",
    "modalities": ["table"],
    "n_estimators": 3,
    "learning_rate": 0.3,
    "max_depth": 2,
    "min_child_weight": 1.0,
    "gamma": 0.0,
    "subsample": 1.0,
    "colsample_bytree": 1.0,
    "reg_lambda": 1.0,
    "reg_alpha": 0.0,
    "tree_method": "hist",
    "max_bin": 16,
    "early_stopping_rounds": 2,
    "device": "cpu",
    "n_jobs": 1,
}
"""Selects its number of rounds on the validation rows."""

NETWORK: dict[str, Any] = {
    "_target_": "crossover.models.deep.network.Network",
    "modalities": ["table"],
    "architecture": {
        "_target_": "crossover.models.deep.mlp.MLP",
        "_partial_": True,
        "hidden": [4],
        "dropout": 0.0,
    },
    "min_size": None,
    "max_epochs": 1,
}
