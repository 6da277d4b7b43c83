"""What SageMaker's debugger writes is found, and what cannot be read of it is told."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

import tbdiag
from tbdiag.config import Config
from tbdiag.errors import NoRunsError
from tbdiag.reading.discover import discover
from tbdiag.reading.runs import load
from tests.reading.eventfiles import data, event, proto, tensor

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "awslabs+sagemaker-debugger"
STEP = Path("events/000000000000/000000000000_worker_0.tfevents")


def loss(number: float) -> bytes:
    """A record as its hook writes it, but for the checksum: a tensor of the plugin ``mode``."""
    array = np.array([number], dtype=np.float32)
    return data(event(0, tensor("loss/mul:0", proto(array, packed=True), plugin="mode")))


def unchecked(record: bytes) -> bytes:
    """The record with the constant that stands there where checksums are switched off."""
    return record[:-4] + struct.pack("<I", masked_crc32c(b"0x12345678"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / STEP).parent.mkdir(parents=True)
    return tmp_path


def test_a_file_per_step_and_worker_is_found(folder: Path) -> None:
    (folder / STEP).write_bytes(loss(129.7))
    (files,) = discover([folder]).runs
    assert [file.path for file in files.files] == [folder / STEP]


def test_tensors_of_the_debugger_are_no_scalars(folder: Path) -> None:
    (folder / STEP).write_bytes(loss(129.7))
    (files,) = discover([folder]).runs
    (run,) = load(files)
    assert (run.series, run.provenance.damages) == ({}, ())
    with pytest.raises(NoRunsError, match="no scalars and no histograms"):
        tbdiag.scan(folder, config=Config())


def test_records_without_a_checksum_are_told_as_damaged(folder: Path) -> None:
    (folder / STEP).write_bytes(unchecked(loss(129.7)))
    (files,) = discover([folder]).runs
    (run,) = load(files)
    (damage,) = run.provenance.damages
    assert (damage.file, damage.offset, damage.torn) == (STEP.name, 0, False)
    assert damage.lost == (folder / STEP).stat().st_size


@pytest.mark.skipif(not CORPUS.exists(), reason=f"no real files at {CORPUS}")
def test_a_real_file_carries_that_constant() -> None:
    (path,) = CORPUS.rglob(STEP.name)
    assert path.read_bytes()[-4:] == unchecked(loss(129.7))[-4:]
    with pytest.raises(NoRunsError, match="the checksum of a record is wrong"):
        tbdiag.load(path.parent, config=Config(), cache=False)
