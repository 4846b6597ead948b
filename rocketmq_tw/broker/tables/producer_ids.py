"""
The producers that are connected now, by client id: where replies go.

Source: ``ProducerManager.clientChannelTable`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.remoting.call import Peer


class ProducerIds:
    """
    The connections of producers, one for each client id: the last that registered it.

    A connection has one id, so there are no more entries than connections.
    """

    def __init__(self) -> None:
        self._peers: dict[str, Peer] = {}
        self._ids: dict[Peer, str] = {}

    def add(self, client_id: str, peer: Peer) -> None:
        """A heartbeat has named a producer."""
        if self._peers.get(client_id) is peer:
            return
        self.remove(peer)
        before = self._peers.get(client_id)
        if before is not None:
            del self._ids[before]
        self._peers[client_id] = peer
        self._ids[peer] = client_id

    def remove(self, peer: Peer) -> None:
        """The client has left all groups of producers; it may be unknown."""
        client_id = self._ids.pop(peer, None)
        if client_id is not None:
            del self._peers[client_id]

    def find(self, client_id: str) -> Peer | None:
        """Return the connection of a client; None if it has none."""
        return self._peers.get(client_id)
