"""Crossover measures where deep learning overtakes classical machine learning, and at what cost."""

__version__ = "0.2.0"
