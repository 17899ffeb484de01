"""Examples of any kind as numbers, for the checks that fit models or compare images."""

import numpy as np
import pandas as pd

from crossover.data.prepared import Input, modality_of

MOST_WORDS = 2000
"""By whose frequencies a forest tells texts apart."""


def numbers_of(*inputs: Input) -> np.ndarray:
    """Examples as numbers for a forest, all inputs one after the other: float32 (n, columns), of texts sparse."""
    if isinstance(inputs[0], pd.DataFrame):
        table = pd.concat([X for X in inputs if isinstance(X, pd.DataFrame)], ignore_index=True)
        columns = [
            table[name].fillna(table[name].median())
            if pd.api.types.is_numeric_dtype(table[name])
            else pd.Series(pd.factorize(table[name])[0])
            for name in table
        ]
        return np.column_stack([column.to_numpy(np.float32) for column in columns])
    if modality_of(inputs[0]) == "text":
        from sklearn.feature_extraction.text import TfidfVectorizer

        texts = np.concatenate([np.asarray(X) for X in inputs])
        return TfidfVectorizer(max_features=MOST_WORDS, token_pattern=r"\w+", dtype=np.float32).fit_transform(
            texts
        )
    return np.concatenate([small_images(np.asarray(X)) for X in inputs])


def small_images(X: Input) -> np.ndarray:
    """Grey images of 16 by 16 pixels, with mean 0 and length 1: float32 (n, 256); smaller ones keep their size."""
    import torch
    import torch.nn.functional as F

    images = torch.from_numpy(np.array(X)).float().mean(dim=3)[:, None]  # (n, 1, height, width)
    if max(images.shape[2:]) > 16:
        images = F.adaptive_avg_pool2d(images, 16)
    flat = images.flatten(1)
    flat = flat - flat.mean(dim=1, keepdim=True)
    return (flat / flat.norm(dim=1, keepdim=True).clamp_min(1e-6)).numpy()
