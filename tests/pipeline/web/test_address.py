import socket

import pytest

from videopose.errors import UsageError
from videopose.pipeline.web.address import listen


def test_the_port_is_of_this_machine_only_and_the_token_is_long() -> None:
    with listen(0).socket as first, listen(0).socket as second:
        assert first.getsockname()[0] == second.getsockname()[0] == "127.0.0.1"
    one, other = listen(0), listen(0)
    with one.socket, other.socket:
        assert one.url == f"http://127.0.0.1:{one.port}/{one.token}/"
        assert len(one.token) >= 20
        assert one.token != other.token


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"port {port} cannot be used \(.*\); --port takes another one"):
            listen(port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none(port: int) -> None:
    with pytest.raises(UsageError, match="--port takes a number from 0 to 65535"):
        listen(port)
