"""OpenSSH's remote forwarding: an sshd of its own for the user who measures, and `ssh -N -R`."""

import getpass
import os
import pathlib
import shutil
import subprocess

from benchmarks.peers.peer import Peer, Program, said_by

__all__ = ["Ssh"]

_SERVER = """
ListenAddress 127.0.0.1:{link}
HostKey {folder}/host
AuthorizedKeysFile {folder}/client.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
"""
_OPTIONS = (
    "IdentitiesOnly=yes",
    "ExitOnForwardFailure=yes",
    "ServerAliveInterval=15",
    "BatchMode=yes",
    "LogLevel=ERROR",
)


class Ssh(Peer):
    """`ssh -R`: every visitor's connection is a channel of the one SSH connection."""

    name = "ssh -R"
    encryption = "link: SSH"
    needs = ("ssh", "sshd", "ssh-keygen")

    @classmethod
    def version(cls) -> str:
        return said_by("ssh", "-V").partition(",")[0]

    def prepare(self) -> None:
        for key in ("host", "client"):
            command = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / key))
            subprocess.run(command, check=True)
        (self.folder / "known").write_text(
            f"[127.0.0.1]:{self.link} {(self.folder / 'host.pub').read_text().rpartition(' ')[0]}\n"
        )
        (self.folder / "sshd.conf").write_text(_SERVER.format(link=self.link, folder=self.folder))
        if os.geteuid() == 0:  # the folder to which it retreats before it knows who comes; a boot would make it
            pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)

    def serving(self) -> Program:
        # It begins itself anew for every connection, and so must be named in full.
        return Program((shutil.which("sshd") or "sshd", "-D", "-e", "-f", str(self.folder / "sshd.conf")))

    def dialling(self) -> Program:
        options = [word for option in _OPTIONS for word in ("-o", option)]
        return Program(
            (
                "ssh", "-F", "none", "-N", "-i", str(self.folder / "client"), *options,
                "-o", f"UserKnownHostsFile={self.folder / 'known'}",
                "-R", f"127.0.0.1:{self.public}:127.0.0.1:{self.origin.port}",
                "-p", str(self.link), f"{getpass.getuser()}@127.0.0.1",
            )
        )  # fmt: skip
