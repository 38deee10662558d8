"""Does a customer buy again within 30 days? A model, from labels to a served vector.

    python buys_again.py [PROJECT]

Run it in a built and pushed reference warehouse, with scikit-learn beside fsync.
"""

import sys
from datetime import datetime

import numpy as np
import pyarrow.compute as pc
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

import fsync

SPRING = datetime(1998, 4, 1)
project = sys.argv[1] if len(sys.argv) > 1 else "."

# Labels are a table of the warehouse: models/training/churn_labels.sql
rows = fsync.train("churn_labels", timestamp="label_at", service="churn_model", project_dir=project)
features = rows.column_names[3:]


def matrix(table):
    """What scikit-learn takes: DOUBLE, with NaN for NULL."""
    return np.column_stack([table[name].cast("double").to_numpy() for name in features])


# Learn from the past, and ask about what came after it
learned = rows.filter(pc.less(rows["label_at"], SPRING))
asked = rows.filter(pc.equal(rows["label_at"], SPRING))
model = HistGradientBoostingClassifier(max_depth=3, random_state=0)
model.fit(matrix(learned), learned["buys_again"].to_numpy(zero_copy_only=False))
chances = model.predict_proba(matrix(asked))[:, 1]
quality = roc_auc_score(asked["buys_again"].to_numpy(zero_copy_only=False), chances)
print(f"{learned.num_rows:,} labels to learn from, {asked.num_rows:,} to ask about")
print(f"ROC AUC {quality:.1f}")

# Serve: the vector of the service is that of the training set, online
with fsync.Reader() as reader:
    vectors = reader.read_service("churn_model", [7592, 42], at="1998-07-01")
assert [feature.name for feature in vectors.features] == features
for customer, chance in zip(vectors.keys, model.predict_proba(vectors.to_numpy())[:, 1], strict=True):
    print(f"customer {customer} is {'likely' if chance > 0.5 else 'unlikely'} to buy again")
