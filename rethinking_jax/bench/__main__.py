"""The command `python -m rethinking_jax.bench NAME [options]`.

The exit code is 0 where all is done, 1 where a measurement failed, and 2 where something in the
command is wrong, and one line says what. Benchmarks are imported late, for JAX takes seconds.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from rethinking_jax import cli
from rethinking_jax.bench.parts import PARTS
from rethinking_jax.errors import RunFailed, UserError, nearest
from rethinking_jax.host import pages


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Reads the command line.

    Raises:
      UserError: an option is not known, or cannot take its value.
    """
    from rethinking_jax.bench import __doc__ as about

    parser = cli.Parser(
        prog="python -m rethinking_jax.bench",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    names = parser.add_subparsers(dest="bench", metavar="NAME", required=True)
    known = {name: _options(names, name) for name in BENCHES}
    options, unknown = parser.parse_known_args(argv)
    if unknown:
        given = unknown[0].partition("=")[0]
        raise UserError(
            f"{unknown[0]} is not an option of bench {options.bench}"
            f"{nearest(given, known[options.bench])} "
            f"(options: {', '.join(known[options.bench])})"
        )
    return options


def _options(names: "argparse._SubParsersAction[cli.Parser]", name: str) -> list[str]:
    """Adds the options of a benchmark; returns their names."""
    about, add = BENCHES[name]
    parser = names.add_parser(name, help=about, description=about, allow_abbrev=False)
    add(parser)
    parser.add_argument("--output", default="", help="JSON file that the results are added to")
    return [word for action in parser._actions for word in action.option_strings]


def _sweep(parser: cli.Parser) -> None:
    count = cli.whole_number(1)
    parser.add_argument(
        "--levels", type=count, help="of label noise, from 0 to 1 (11; convolving on a CPU: 2)"
    )
    parser.add_argument("--seeds", type=count, help="of each level (3; there: 1)")
    parser.add_argument("--members", type=count, help="runs in all, a level each")
    parser.add_argument(
        "--at_once", type=_counts, default=(), help="vmapped at a time, besides all, by commas"
    )
    parser.add_argument("--train_examples", type=cli.whole_number(0), help="0: all (there: 128)")
    parser.add_argument("--epochs", type=count, help="in each round (2; there: 1)")
    parser.add_argument("--repeats", type=count, help="rounds (5; there: 3, vmapped 1)")
    _model_and_data(parser)


def _train(parser: cli.Parser) -> None:
    _models(parser, "mlp_1x512,mlp_3x512,alexnet_small,inception_small")
    parser.add_argument(
        "--steps", type=cli.whole_number(1), help="in each round (100; convolutions: 3)"
    )
    _repeats(parser, 5)
    parser.add_argument(
        "--scan_convolutions",
        action="store_true",
        help="on a CPU, measure convolutions inside lax.scan too (minutes)",
    )
    parser.add_argument(
        "--compile_limit",
        type=cli.whole_number(0),
        default=60,
        help="seconds for torch.compile; 0: without it (%(default)s)",
    )


def _imagenet(parser: cli.Parser) -> None:
    count = cli.whole_number(1)
    _models(parser, "inception_v3,resnet_50")
    parser.add_argument("--image_size", type=count, help="299 for Inception V3, else 224")
    parser.add_argument("--dtype", default="bfloat16", help="%(default)s")
    parser.add_argument(
        "--batch_sizes",
        type=_counts,
        help="up to the first that does not fit (64,128,256,512,1024 for each device; on a CPU "
        "4,8)",
    )
    parser.add_argument("--steps", type=count, help="in each round (30; on a CPU: 2)")
    _repeats(parser, 3)
    parser.add_argument("--images", type=count, default=2048, help="cached (%(default)s)")
    parser.add_argument("--threads", type=count, help="that read (one per core)")


def _members(parser: cli.Parser) -> None:
    parser.add_argument(
        "--members", type=_counts, default="1,4,16,64", help="by commas (%(default)s)"
    )
    parser.add_argument("--epochs", type=cli.whole_number(1), default=5, help="timed (%(default)s)")
    _model_and_data(parser)


def _input(parser: cli.Parser) -> None:
    count = cli.whole_number(1)
    parser.add_argument("--image_sizes", type=_counts, default="64,299", help="%(default)s")
    parser.add_argument("--images", type=count, default=512, help="in a round (%(default)s)")
    _repeats(parser, 5)
    parser.add_argument("--threads", type=count, help="that read (one per core)")


def _augment(parser: cli.Parser) -> None:
    _models(parser, "mlp_1x512,alexnet_small")
    parser.add_argument(
        "--batches", type=cli.whole_number(1), help="an epoch (60; convolving on a CPU: 3)"
    )
    _repeats(parser, 5)


def _solve(parser: cli.Parser) -> None:
    count = cli.whole_number(1)
    parser.add_argument("--examples", type=count, default=4000, help="of mnist5k (%(default)s)")
    parser.add_argument("--ridge", default="0.1", help="%(default)s")
    _repeats(parser, 5)
    parser.add_argument("--data_dir", default="", help="of tfds")


def _commands(parser: cli.Parser) -> None:
    count = cli.whole_number(1)
    parser.add_argument("--members", type=count, default=400, help="runs (%(default)s)")
    parser.add_argument("--train_examples", type=cli.whole_number(0), default=0, help="0: all")
    parser.add_argument("--epochs", type=count, default=10, help="of each run (%(default)s)")
    _repeats(parser, 3)
    _model_and_data(parser)


def _values(parser: cli.Parser) -> None:
    count = cli.whole_number(1)
    parser.add_argument("--dataset", default="mnist", help="%(default)s")
    parser.add_argument("--train_examples", type=count, default=10_000, help="%(default)s")
    parser.add_argument(
        "--hidden_sizes", type=_widths, default="128,64", help="of the MLP (%(default)s)"
    )
    parser.add_argument("--epochs", type=count, default=5, help="of each network (%(default)s)")
    parser.add_argument("--models", type=count, default=14, help="in a round (%(default)s)")
    _repeats(parser, 3)
    parser.add_argument("--data_dir", default="", help="of tfds")


def _scale(parser: cli.Parser) -> None:
    count = cli.whole_number(1)
    parser.add_argument("--examples", type=count, help="for training (as many as ImageNet has)")
    parser.add_argument("--batch_size", type=count, default=256, help="%(default)s")
    _repeats(parser, 3)


def _campaign(parser: cli.Parser) -> None:
    parser.add_argument(
        "--minutes", type=cli.whole_number(1), default=25, help="all of it (%(default)s)"
    )
    parser.add_argument("--parts", default="", help="by commas, some of: " + ", ".join(PARTS))
    parser.add_argument("--data_dir", default="", help="of tfds, for CIFAR-10")
    parser.add_argument(
        "--show", action="store_true", help="show what the output has, and measure nothing"
    )


def _models(parser: cli.Parser, models: str) -> None:
    parser.add_argument("--models", default=models, help="separated by commas (%(default)s)")


def _repeats(parser: cli.Parser, rounds: int) -> None:
    parser.add_argument(
        "--repeats", type=cli.whole_number(1), default=rounds, help="rounds (%(default)s)"
    )


def _model_and_data(parser: cli.Parser) -> None:
    parser.add_argument("--model", default="mlp_1x512", help="%(default)s, or mlp_DxW")
    parser.add_argument("--dataset", default="mnist5k", help="%(default)s")
    parser.add_argument("--data_dir", default="", help="of tfds")


def _widths(text: str) -> tuple[int, ...]:
    return tuple(map(cli.whole_number(1), text.split(",")))


def _counts(text: str) -> tuple[int, ...]:
    counts = tuple(map(cli.whole_number(1), text.split(",")))
    if list(counts) != sorted(set(counts)):
        raise argparse.ArgumentTypeError(f"{text!r} must rise from one number to the next")
    return counts


# What each benchmark is about, and the function that adds its options.
BENCHES: dict[str, tuple[str, Callable[[cli.Parser], None]]] = {
    "sweep": ("the same sweep over label noise and seeds: vmapped, looped, in PyTorch", _sweep),
    "train": ("images per second of a train step, against PyTorch and the matmul peak", _train),
    "imagenet": (
        "images per second of a train step by batch size, the share of the matmul peak, the wait "
        "for input, the longest operations",
        _imagenet,
    ),
    "members": ("peak memory and time per epoch by number of vmapped members", _members),
    "input": ("images per second that are decoded, streamed and read from a cache", _input),
    "augment": ("time of an epoch with each augmentation over one without", _augment),
    "solve": ("time to solve a kernel machine, against SciPy and scikit-learn", _solve),
    "commands": ("a sweep as one command against a command for each of its runs", _commands),
    "values": (
        "Data Banzhaf values of digits: the same networks on the same halves here and by pyDVL, "
        "and what 10,000 networks cost",
        _values,
    ),
    "scale": ("what ImageNet's examples cost without their pixels: seconds and memory", _scale),
    "campaign": (
        "all that the documentation states of an accelerator, in a given time: the parts that "
        "--output does not have yet, most valuable first",
        _campaign,
    ),
}


def main(argv: Sequence[str]) -> int:
    """Runs one benchmark and returns the exit code."""
    options = argparse.Namespace(output="")
    try:
        options = parse(argv)
        from rethinking_jax.bench import command  # now that it is known to be needed

        command.run(options)
    except UserError as error:
        return cli.fail(error, 2)
    except (RunFailed, OSError) as error:
        return cli.fail(error, 1)
    except KeyboardInterrupt as error:
        there = options.output and os.path.exists(options.output)
        kept = f"; what was measured before is in {options.output}" if there else ""
        return cli.fail(f"{cli.reason(error)}{kept}", 1)
    return 0


if __name__ == "__main__":
    pages.begin_with_huge_pages("rethinking_jax.bench")  # as `main` does
    cli.begin()
    cli.end(main(sys.argv[1:]))
