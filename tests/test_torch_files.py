import pickle
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from videopose.torch_files import check_tensors, check_torch_file, load_torch_file


def test_a_compressed_checkpoint(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1000)}, tmp_path / "sound.pt")
    check_torch_file(tmp_path / "sound.pt")
    with (
        zipfile.ZipFile(tmp_path / "sound.pt") as sound,
        zipfile.ZipFile(tmp_path / "a.pt", "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in sound.namelist():
            archive.writestr(name, sound.read(name))
    with pytest.raises(ValueError, match="its members are compressed"):
        check_torch_file(tmp_path / "a.pt")


def test_a_tensor_of_a_few_bytes_and_a_huge_shape() -> None:
    check_tensors({"a": torch.zeros(5, 5), "b": 3}, 100)
    for tensor in (torch.zeros(1).expand(1 << 40), torch.zeros(4, 4).as_strided((8, 8), (1, 0))):
        with pytest.raises(ValueError, match="but not as many numbers"):
            check_tensors({"a": tensor}, 1 << 50)
    with pytest.raises(ValueError, match="but not as many numbers"):
        check_tensors({"a": torch.zeros(5, 5)}, 99)


def test_pytorch_does_not_warn_about_pickles_that_it_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(pickle.dumps({"a": 1}, protocol=4))
    with warnings.catch_warnings(record=True) as given, suppress(Exception):
        warnings.simplefilter("always")
        load_torch_file(tmp_path / "a.bin")
    assert given == []
