"""Writes small torch.save files for the tests of the converter's reader: every element type, views, shared storages, wrappers, and files that
have to be refused. The expected values go into one JSON file next to them.

    python training/make_torch_fixtures.py
"""

import collections
import json
import pathlib

import torch

OUT = pathlib.Path(__file__).parent / "fixtures" / "torch"


class Runs:
    """Runs a command when it is unpickled."""

    def __reduce__(self):
        import os

        return (os.system, ("echo this must never run > /dev/null",))


def tensors():
    generator = torch.Generator().manual_seed(1)
    base = torch.randn(6, 8, generator=generator)
    shared = torch.arange(24, dtype=torch.float32) / 4
    return collections.OrderedDict(
        f32=base.clone(),
        f16=base.half(),
        bf16=base.bfloat16(),
        f64=base.double(),
        i64=torch.tensor([-3, 2**40]),
        i8=torch.tensor([[1, -2]], dtype=torch.int8),
        flags=torch.tensor([True, False]),
        scalar=torch.tensor(2.5),
        none=torch.zeros(0, 4),
        transposed=base.t(),
        column=base[:, 3],
        window=base[1:4, 2:7:2],
        middle=base[2:4],
        permuted=shared.view(2, 3, 4).permute(2, 0, 1),
        spread=base[0].expand(2, 8),
        first=shared[:12].view(3, 4),
        second=shared[12:],
        parameter=torch.nn.Parameter(base[:2].clone()),
    )


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    given = tensors()
    torch.save(given, OUT / "types.bin")
    torch.save(dict(given), OUT / "protocol4.bin", pickle_protocol=4)
    torch.save({"epoch": 3, "lr": 1e-3, "name": "x", "state_dict": torch.nn.Linear(3, 2, bias=False).state_dict()}, OUT / "wrapped.bin")
    torch.save({"w": given["scalar"]}, OUT / "legacy.bin", _use_new_zipfile_serialization=False)
    torch.save({"w": given["scalar"], "x": Runs()}, OUT / "code.bin")
    torch.save([given["scalar"]], OUT / "list.bin")
    expected = {
        name: {
            "dtype": str(tensor.dtype).removeprefix("torch."),
            "shape": list(tensor.shape),
            "values": tensor.detach().float().flatten().tolist(),
        }
        for name, tensor in given.items()
    }
    wrapped = torch.load(OUT / "wrapped.bin", weights_only=True)["state_dict"]["weight"]
    expected["weight"] = {"dtype": "float32", "shape": list(wrapped.shape), "values": wrapped.flatten().tolist()}
    (OUT / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
