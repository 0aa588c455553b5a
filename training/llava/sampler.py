"""LLaVA's sampler: batches of samples of like length, with pictures or without, in random order (`group_by_modality_length`)."""

import torch
from torch.utils.data import Sampler


class ModalitySampler(Sampler):
    """Indices whose consecutive runs of `batch * world` are one step of all processes.

    `lengths` are positive with pictures and negative for text alone. Within each kind, samples are shuffled, cut into megabatches of one
    step, sorted by length in each and dealt to the processes so that their sums are alike. Whole megabatches are then shuffled; the two
    incomplete ones at the ends make the last. The order depends on `seed` and epoch alone, so that a resumed run sees what it would have.
    """

    def __init__(self, lengths, batch, world=1, seed=0):
        if any(length == 0 for length in lengths):
            raise ValueError("A sample of length zero is neither text nor picture.")
        self.lengths, self.batch, self.world, self.seed, self.epoch = list(lengths), batch, world, seed, 0

    def __len__(self):
        return len(self.lengths)

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __iter__(self):
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        kinds = [[i for i, n in enumerate(self.lengths) if n > 0], [i for i, n in enumerate(self.lengths) if n < 0]]
        whole, rest = [], []
        for kind in kinds:
            batches = self.megabatches(kind, generator)
            if batches and len(batches[-1]) < self.batch * self.world:
                rest += batches.pop()
            whole += batches
        order = torch.randperm(len(whole), generator=generator).tolist()
        yield from (i for number in order for i in whole[number])
        yield from rest

    def megabatches(self, indices, generator):
        """Lists of `batch * world` indices, the last perhaps shorter; each is sorted, longest first, and dealt to the processes."""
        shuffled = [indices[i] for i in torch.randperm(len(indices), generator=generator).tolist()]
        size = self.batch * self.world
        mega = [shuffled[i : i + size] for i in range(0, len(shuffled), size)]
        return [[i for part in self.dealt(sorted(one, key=lambda i: -abs(self.lengths[i]))) for i in part] for one in mega]

    def dealt(self, indices):
        """The indices in `world` parts of equal number, each next one to the part that is shortest so far."""
        if len(indices) % self.world:
            return [indices[i :: self.world] for i in range(self.world)]
        parts, sums, most = [[] for _ in range(self.world)], [0] * self.world, len(indices) // self.world
        for i in indices:
            part = min((p for p in range(self.world) if len(parts[p]) < most), key=sums.__getitem__)
            parts[part].append(i)
            sums[part] += abs(self.lengths[i])
        return parts
