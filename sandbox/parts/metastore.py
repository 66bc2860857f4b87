"""The part `metastore`: Datacore's own bridge from the Hive Metastore protocol to Glue."""

import sys

from sandbox.part import Part, Site
from sandbox.ports import HOST


def metastore_part(site: Site) -> Part:
    """`datacore metastore` on the site's Glue."""
    port = site.ports["metastore"]
    return Part(
        name="metastore",
        title="Hive Metastore over Glue",
        port=port,
        command=(
            *(sys.executable, "-m", "datacore", "metastore"),
            *("--host", HOST, "--port", str(port)),
        ),
        ask=lambda: _databases(port),
        needs=("aws",),
    )


def _databases(port: int) -> list[str]:
    from hmsclient.genthrift.hive_metastore import ThriftHiveMetastore
    from thrift.protocol.TBinaryProtocol import TBinaryProtocol
    from thrift.transport.TSocket import TSocket
    from thrift.transport.TTransport import TBufferedTransport

    socket = TSocket(HOST, port)
    socket.setTimeout(5_000)
    transport = TBufferedTransport(socket)
    transport.open()
    try:
        names: list[str] = ThriftHiveMetastore.Client(
            TBinaryProtocol(transport)
        ).get_all_databases()
        return names
    finally:
        transport.close()
