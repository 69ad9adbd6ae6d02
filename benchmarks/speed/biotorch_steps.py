"""Trains a network of BioTorch's layers, one round for each line on stdin.

It runs in BioTorch's own environment, started by `biotorch.py`, and prints a line of
JSON for each round: wall-clock seconds and processor seconds.
"""

import json
import sys
import time

import torch
from biotorch.layers import fa_constructor


def main():
    wanted = json.loads(sys.argv[1])
    torch.set_num_threads(wanted["threads"])
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        *(layer(wanted["rule"], *each) for each in wanted["layers"])
    )
    optimizer = torch.optim.SGD(
        [p for p in model.parameters() if p.requires_grad],
        lr=wanted["rate"],
        momentum=0.9,
    )
    loss_of = torch.nn.CrossEntropyLoss()
    *positions, channels = wanted["input_shape"]
    batches = [
        (
            torch.rand(wanted["batch"], channels, *positions),
            torch.randint(wanted["classes"], (wanted["batch"],)),
        )
        for _ in range(wanted["steps"])
    ]
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        for inputs, labels in batches:
            optimizer.zero_grad()
            loss_of(model(inputs), labels).backward()
            optimizer.step()
        taken = time.perf_counter() - wall, time.process_time() - cpu
        print(json.dumps(taken), flush=True)


def layer(rule, kind, *arguments):
    match kind:
        case "conv":
            return fa_constructor.Conv2d(*arguments, layer_config={"type": rule})
        case "dense":
            return fa_constructor.Linear(*arguments, layer_config={"type": rule})
        case "max" | "average":
            pool = {"max": torch.nn.MaxPool2d, "average": torch.nn.AvgPool2d}[kind]
            size, stride, same = arguments
            return pool(size, stride, ceil_mode=same)
        case "relu":
            return torch.nn.ReLU()
        case "flatten":
            return torch.nn.Flatten()


if __name__ == "__main__":
    main()
