"""The socket that connections come from."""

import socket

from halmirror.web.serving import _listening


def test_no_part_of_an_answer_waits_for_a_receipt() -> None:
    with (
        _listening("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()) as client,
        listener.accept()[0] as connection,
    ):
        assert client.fileno() >= 0
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
