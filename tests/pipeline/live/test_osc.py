import socket

import pytest
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage

from videopose.errors import UsageError
from videopose.pipeline.live.osc import OscSender, bundle, message


def test_a_message_is_read_back() -> None:
    read = OscMessage(message("/VMC/Ext/Bone/Pos", "LeftUpperArm", 0.25, -1.5, 7, ""))
    assert read.address == "/VMC/Ext/Bone/Pos"
    assert read.params == ["LeftUpperArm", 0.25, -1.5, 7, ""]


@pytest.mark.parametrize("name", ["a", "ab", "abc", "abcd", "größer"])
def test_texts_are_padded(name: str) -> None:
    data = message("/x", name, 1)
    assert len(data) % 4 == 0
    assert OscMessage(data).params == [name, 1]


def test_a_bundle_is_read_back() -> None:
    read = OscBundle(bundle([message("/a", 1), message("/b", 2.0)]))
    assert [(each.address, each.params) for each in read] == [("/a", [1]), ("/b", [2.0])]


def test_sending() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(10)
        sender = OscSender(f"127.0.0.1:{listener.getsockname()[1]}")
        sender.send(message("/a", 1))
        assert OscMessage(listener.recv(100)).params == [1]
        sender.close()


def test_that_no_program_listens_is_no_error() -> None:
    sender = OscSender("127.0.0.1:9")
    for _ in range(3):
        sender.send(message("/a", 1))
    sender.close()


@pytest.mark.parametrize("target", ["", "127.0.0.1", "127.0.0.1:", ":39539", "127.0.0.1:0", "a:99999", "a:b"])
def test_what_is_no_address(target: str) -> None:
    with pytest.raises(UsageError, match=r"--osc takes HOST:PORT, such as 127\.0\.0\.1:39539"):
        OscSender(target)


@pytest.mark.network
def test_a_host_that_is_not_known() -> None:
    with pytest.raises(UsageError, match=r"the host no-such-host\.invalid is not known"):
        OscSender("no-such-host.invalid:39539")
