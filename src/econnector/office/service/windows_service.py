"""What Windows runs as the service: `python.exe -I windows_service.py NAME SETTINGS [FOLDER WITH PACKAGES]…`.

It imports nothing of the project before the folders are known: Windows starts it with Python's own ones only.
"""

import os
import site
import sys

__all__: list[str] = []

if sys.platform == "win32":
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import NoReturn

    __all__ += ["main"]

    FAILED = 1

    def main(name: str, settings: str, *folders: str) -> None:
        """Be the service `name` until Windows says stop."""
        for folder in folders:
            site.addsitedir(folder)  # reads .pth files too: pywin32 has one for its DLLs
        import servicemanager  # noqa: PLC0415 - found only now

        servicemanager.Initialize(name, None)
        servicemanager.PrepareToHostSingle(_service(name, Path(settings)))
        servicemanager.StartServiceCtrlDispatcher()  # type: ignore[no-untyped-call, unused-ignore]

    def _service(name: str, settings: Path) -> type:
        """Return the class that pywin32 makes the service of."""
        import servicemanager  # noqa: PLC0415 - as above
        import win32service  # noqa: PLC0415 - as above
        import win32serviceutil  # noqa: PLC0415 - as above

        class Service(win32serviceutil.ServiceFramework):  # type: ignore[misc, unused-ignore]
            """The connector, told to stop by Windows instead of by a signal."""

            _svc_name_, _svc_display_name_ = name, name

            def __init__(self, words: Iterable[str]) -> None:
                super().__init__(words)
                self._stop: Callable[[], None] | None = None
                self._told = False

            def SvcDoRun(self) -> None:  # noqa: N802 - pywin32's name
                """Run to the end; what goes wrong is written to the event log, and Windows starts it again."""
                from econnector.base.errors import Failure  # noqa: PLC0415 - found only now
                from econnector.office.run import serve  # noqa: PLC0415 - as above
                from econnector.office.settings import load_settings  # noqa: PLC0415 - as above

                try:
                    serve(load_settings(settings, environment={}), self._begun)
                except Failure as failure:
                    servicemanager.LogErrorMsg(f"✗ {failure.office_text()} ({failure.code} · {failure.reference})")
                    self._fail()
                except Exception as error:  # noqa: BLE001 - the last place that can say something about it
                    servicemanager.LogErrorMsg(f"it met a fault: {type(error).__name__}")
                    self._fail()

            def SvcStop(self) -> None:  # noqa: N802 - pywin32's name
                """Tell the connector to stop."""
                self.ReportServiceStatus(win32service.SERVICE_STOP_PENDING, 15_000)
                self._told = True
                if self._stop is not None:
                    self._stop()

            SvcShutdown = SvcStop

            def _begun(self, stop: Callable[[], None]) -> None:
                self._stop = stop
                if self._told:
                    stop()

            def _fail(self) -> NoReturn:
                """End without telling Windows: it takes that for a crash, and starts the service again."""
                os._exit(FAILED)

        return Service

    if __name__ == "__main__":
        main(*sys.argv[1:])
