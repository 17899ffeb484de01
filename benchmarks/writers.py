"""What a random split of digits hides: the accuracy on other people's handwriting.

    python benchmarks/writers.py

The examples of scikit-learn's digits stand in the order of their 13 writers, and no label says where one writer ends.
So consecutive rows stand for a writer: 13 blocks of one size, each the test part once. The same number of random folds
is the split of this project. The pixels are divided by 16, as the project does.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_score
from sklearn.svm import SVC

WRITERS = 13
MODELS = {
    "logistic regression": LogisticRegression(max_iter=1000),
    "SVM": SVC(C=10),
}


def main() -> None:
    digits = load_digits()
    X, y = digits.data / 16, digits.target
    blocks = np.arange(len(y)) * WRITERS // len(y)  # 0 … 12, as long as they are consecutive
    random = StratifiedKFold(WRITERS, shuffle=True, random_state=0)
    print("| model | random folds % | blocks of consecutive rows % | lowest block % |")
    print("|---|--:|--:|--:|")
    for name, model in MODELS.items():
        mixed = cross_val_score(model, X, y, cv=random)
        apart = cross_val_score(model, X, y, cv=GroupKFold(WRITERS), groups=blocks)
        print(f"| {name} | {100 * mixed.mean():.2f} | {100 * apart.mean():.2f} | {100 * apart.min():.2f} |")


if __name__ == "__main__":
    main()
