"""Runs that go on for more epochs than they were begun with: which of their lines stay true."""

from collections.abc import Sequence

from rethinking_jax import config as configs
from rethinking_jax.workdir.folder import Folder
from rethinking_jax.workdir.metrics import Line, read_lines


def kept_lines(folder: Folder, members: Sequence[configs.Member]) -> list[Line]:
    """Returns the lines of runs that they would have, had they been begun with the epochs of now.

    The last epoch is always measured, and on all training examples. Where a longer run measures
    another epoch, or fewer examples, that line goes, and its epoch is trained again.

    Args:
      folder: the workdir, with the config that the runs were begun with.
      members: the runs of now; lines of others go, too.
    """
    stored = folder.stored_config()
    if stored is None:
        return []
    config = configs.from_json(stored)
    begun = configs.named_as_begun(config, configs.members(config, check=None), folder.names)
    ended = {name: own.epochs for name, own in begun}
    now = dict(members)

    def is_kept(line: Line) -> bool:
        name, epoch = line["member"], line["epoch"]
        if name not in now or epoch != ended.get(name) or epoch == now[name].epochs:
            return name in now
        return epoch % now[name].measure_every == 0 and not now[name].train_eval_examples

    return [line for line in read_lines(folder.path / "metrics.jsonl") if is_kept(line)]
