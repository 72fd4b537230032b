"""Times the convolutions of the VGG-like network of the paper's Figure 8 in PyTorch, forward and backward. A line of JSON for each."""

import argparse
import json
import time

import torch

SHAPES = [(3, 64, 32), (64, 128, 32), (128, 256, 16), (256, 256, 16)]


def mean_ms(run, repeats):
    run()
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return 1e3 * (time.perf_counter() - start) / repeats


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("batch", type=int, nargs="?", default=64)
    parser.add_argument("repeats", type=int, nargs="?", default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for channels, outputs, side in SHAPES:
        x, weight = torch.randn(args.batch, channels, side, side), torch.randn(outputs, channels, 3, 3)
        bias, dh = torch.randn(outputs), torch.randn(args.batch, outputs, side, side)
        # The first layer's input is data: nobody asks for its gradient.
        wanted = (channels > 3, True, True)

        def forward():
            with torch.no_grad():
                torch.nn.functional.conv2d(x, weight, bias, padding=1)

        def backward():
            sizes = ([outputs], [1, 1], [1, 1], [1, 1], False, [0, 0], 1)
            torch.ops.aten.convolution_backward(dh, x, weight, *sizes, wanted)

        times = {"forward": mean_ms(forward, args.repeats), "backward": mean_ms(backward, args.repeats)}
        print(json.dumps({"shape": [channels, outputs, side], **times}))


if __name__ == "__main__":
    main()
