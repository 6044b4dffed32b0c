"""`make bench-peers`: eConnector beside other tunnels, on this machine, in one run.

What is measured, of each tunnel in turn and of the direct server before and after them, round by round:

* a 1 kB answer on one connection and on 32, and on 32 with a new connection for each request;
* a 100 MB file by one reader;
* the 1 kB answer on four connections, idle and while one reader takes the file over and over.

And, once: how much both ends grow while four readers take 1 MB a second each (first of all, so that nothing an earlier
load left behind hides it), when a request fails while the office's end stands still, and how soon a server that was
killed for three seconds serves again.

The same nginx stands behind every tunnel. Of ours there are two rows: *relay*, whose office fetches the answer from
that nginx as the tunnels do, and *native*, whose office answers by itself, which is what it is for. Figures are shares
of the direct server's in the same sweep; a sweep in which the direct server was more than a quarter away from its
median is measured once more. Nothing is compared with a figure from another run or another machine.

A peer is one file here, one class with one shape (`peer.Peer`): which programs it needs, what it writes as
configuration, the two command lines, and what of it is encrypted. ssh, SniTun and localtunnel are installed by
`scripts/setup.py --peers` (the latter two into `.cache/peers`); frp, chisel, piko and rathole are measured where their
programs are on PATH. A peer that is not here is a row that says so. No code of theirs is part of this project.

`python -m benchmarks.peers --quick` is one short round of everything, to see that it works; it writes nothing.
`--only NAME` measures some of them and writes nothing either.
"""

from benchmarks.peers.chisel import Chisel
from benchmarks.peers.frp import FrpHttp, FrpTcp
from benchmarks.peers.localtunnel import Localtunnel
from benchmarks.peers.ours import Native, Relay
from benchmarks.peers.peer import Peer
from benchmarks.peers.piko import Piko
from benchmarks.peers.rathole import Rathole
from benchmarks.peers.snitun import SniTun
from benchmarks.peers.ssh import Ssh

__all__ = ["ALL"]

ALL: tuple[type[Peer], ...] = (Native, Relay, Ssh, SniTun, Localtunnel, FrpTcp, FrpHttp, Chisel, Piko, Rathole)
"""In the order of the table."""
