"""What is asked of Windows, through pywin32."""

import sys

__all__: list[str] = []

if sys.platform == "win32":
    import contextlib
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any

    import pywintypes
    import win32con
    import win32evtlog
    import win32security
    import win32service

    from econnector.office.service.programs import run
    from econnector.office.service.windows import MISSING, RefusedError

    __all__ += ["WindowsScm"]

    _WORDS = {
        win32service.SERVICE_RUNNING: "running",
        win32service.SERVICE_STOPPED: "stopped",
        win32service.SERVICE_STOP_PENDING: "stopping",
        win32service.SERVICE_START_PENDING: "starting",
    }

    class WindowsScm:
        """See `Scm`."""

        def create(self, name: str, binary: str, account: str, password: str) -> None:
            """Create it."""
            with _manager(win32service.SC_MANAGER_CREATE_SERVICE) as manager:
                handle = win32service.CreateService(
                    manager,
                    name,
                    name,
                    win32service.SERVICE_ALL_ACCESS,
                    win32service.SERVICE_WIN32_OWN_PROCESS,
                    win32service.SERVICE_AUTO_START,
                    win32service.SERVICE_ERROR_NORMAL,
                    binary,
                    None,
                    False,
                    None,
                    account or None,
                    password or None,
                )
                win32service.CloseServiceHandle(handle)

        def describe(self, name: str, text: str) -> None:
            """Set its description."""
            self._change(name, win32service.SERVICE_CONFIG_DESCRIPTION, text)

        def delay(self, name: str) -> None:
            """Let it start late."""
            self._change(name, win32service.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, True)

        def restart_on_failure(self, name: str, pauses: Sequence[int], forget_seconds: int) -> None:
            """Set the failure actions, for crashes and for exit statuses."""
            actions = [(win32service.SC_ACTION_RESTART, pause) for pause in pauses]
            wanted = {"ResetPeriod": forget_seconds, "RebootMsg": "", "Command": "", "Actions": actions}
            self._change(name, win32service.SERVICE_CONFIG_FAILURE_ACTIONS, wanted)
            self._change(name, win32service.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, True)

        def security(self, name: str) -> str:
            """Return its rights."""
            with _service(name, win32con.READ_CONTROL) as handle:
                found = win32service.QueryServiceObjectSecurity(handle, win32security.DACL_SECURITY_INFORMATION)
                return str(
                    win32security.ConvertSecurityDescriptorToStringSecurityDescriptor(
                        found, win32security.SDDL_REVISION_1, win32security.DACL_SECURITY_INFORMATION
                    )
                )

        def secure(self, name: str, sddl: str) -> None:
            """Set its rights."""
            with _service(name, win32con.READ_CONTROL | win32con.WRITE_DAC) as handle:
                wanted = win32security.ConvertStringSecurityDescriptorToSecurityDescriptor(
                    sddl, win32security.SDDL_REVISION_1
                )
                win32service.SetServiceObjectSecurity(handle, win32security.DACL_SECURITY_INFORMATION, wanted)

        def grant_log_on(self, account: str) -> None:
            """Give the account SeServiceLogonRight."""
            with _refusals():
                sid = win32security.LookupAccountName(None, account.removeprefix(".\\"))[0]
                access = win32security.POLICY_CREATE_ACCOUNT | win32security.POLICY_LOOKUP_NAMES
                policy = win32security.LsaOpenPolicy("", access)
                try:
                    win32security.LsaAddAccountRights(policy, sid, ("SeServiceLogonRight",))
                finally:
                    win32security.LsaClose(policy)  # type: ignore[arg-type, unused-ignore]

        def let_read(self, account: str, file: Path) -> None:
            """Give the account the right to read, beside who has it."""
            said = run(["icacls", str(file), "/grant", f"{account.removeprefix('.' + chr(92))}:R"])
            if said.status:
                raise RefusedError(said.status, said.reason)

        def delete(self, name: str) -> None:
            """Delete it."""
            with _service(name, win32con.DELETE) as handle:
                win32service.DeleteService(handle)

        def start(self, name: str) -> None:
            """Start it."""
            with _service(name, win32service.SERVICE_START) as handle:
                win32service.StartService(handle, None)

        def stop(self, name: str) -> None:
            """Tell it to stop."""
            with _service(name, win32service.SERVICE_STOP) as handle:
                win32service.ControlService(handle, win32service.SERVICE_CONTROL_STOP)

        def query(self, name: str) -> str:
            """Return its state."""
            try:
                with _service(name, win32service.SERVICE_QUERY_STATUS) as handle:
                    return _WORDS.get(win32service.QueryServiceStatus(handle)[1], "other")
            except RefusedError as error:
                if error.code == MISSING:
                    return ""
                raise

        def names(self, prefix: str) -> list[str]:
            """Return the services whose name begins so."""
            with _manager(win32service.SC_MANAGER_ENUMERATE_SERVICE) as manager:
                found = win32service.EnumServicesStatus(
                    manager, win32service.SERVICE_WIN32, win32service.SERVICE_STATE_ALL
                )
                return [str(row[0]) for row in found if str(row[0]).startswith(prefix)]

        def last_event(self, name: str) -> str:
            """Return its newest event of the last hundred."""
            with _refusals():
                log = win32evtlog.OpenEventLog(None, "Application")
                try:
                    flags = win32evtlog.EVENTLOG_BACKWARDS_READ | win32evtlog.EVENTLOG_SEQUENTIAL_READ
                    for event in win32evtlog.ReadEventLog(log, flags, 0):
                        if event.SourceName == name and event.StringInserts:
                            return " ".join(str(text) for text in event.StringInserts).splitlines()[0]
                finally:
                    win32evtlog.CloseEventLog(log)
            return ""

        def _change(self, name: str, level: int, value: object) -> None:
            # Setting failure actions that restart needs the right to start.
            with _service(name, win32service.SERVICE_CHANGE_CONFIG | win32service.SERVICE_START) as handle:
                win32service.ChangeServiceConfig2(handle, level, value)

    @contextlib.contextmanager
    def _refusals() -> Iterator[None]:
        try:
            yield
        except pywintypes.error as error:
            raise RefusedError(int(error.winerror), str(error.strerror).rstrip(".")) from None

    @contextlib.contextmanager
    def _manager(access: int) -> Iterator[Any]:
        with _refusals():
            manager = win32service.OpenSCManager(None, None, access | win32service.SC_MANAGER_CONNECT)
            try:
                yield manager
            finally:
                win32service.CloseServiceHandle(manager)

    @contextlib.contextmanager
    def _service(name: str, access: int) -> Iterator[Any]:
        with _manager(0) as manager:
            handle = win32service.OpenService(manager, name, access)
            try:
                yield handle
            finally:
                win32service.CloseServiceHandle(handle)
