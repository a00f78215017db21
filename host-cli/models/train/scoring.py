"""Loss and exactness of answers, by teacher forcing: the token predicted at each place of the answer is
the most likely one, and an answer is exact when all of them are right."""

import torch
import torch.nn.functional as F


def predictions(model, ids, weights):
    """Logits [K, V], targets [K], weights [K] and rows [K] of the tokens whose weight is not 0."""
    wanted = weights[:, 1:] > 0
    logits = model.head(model(ids[:, :-1])[wanted])
    return logits, ids[:, 1:][wanted], weights[:, 1:][wanted], wanted.nonzero()[:, 0]


def loss(model, ids, weights):
    """Weighted cross-entropy in nats, and the share of answer tokens predicted right."""
    logits, targets, weights, _ = predictions(model, ids, weights)
    losses = F.cross_entropy(logits, targets, reduction="none")
    answers = weights == 1
    right = (logits.detach().argmax(-1) == targets)[answers].float().mean()
    return (losses * weights).sum() / weights.sum(), right


@torch.no_grad()
def exact(model, batches, rows, at_once=16):
    """Share of `rows` whose whole answer is exact."""
    exact = 0
    for first in range(0, len(rows), at_once):
        ids, weights = batches.padded(rows[first : first + at_once])
        answers = torch.where(weights == 1, weights, 0)
        logits, targets, _, places = predictions(model, ids, answers)
        wrong = places[logits.argmax(-1) != targets].unique().numel()
        exact += len(ids) - wrong
    return exact / len(rows)
