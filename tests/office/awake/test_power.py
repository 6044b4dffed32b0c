"""What the systems' own programs print, and what it means for a computer that patients rely on."""

from pathlib import Path

import pytest

from econnector.office.awake import power

SLEEP_QUERY = """Power Scheme GUID: 381b4222-f694-41f0-9685-ff5bb260df2e  (Balanced)
  GUID Alias: SCHEME_BALANCED
  Subgroup GUID: 238c9fa8-0aad-41ed-83f4-97be242c8f20  (Sleep)
    GUID Alias: SUB_SLEEP
    Power Setting GUID: 29f6c1db-86da-48c5-9fdb-f2b67b1f44da  (Sleep after)
      GUID Alias: STANDBYIDLE
      Minimum Possible Setting: 0x00000000
      Maximum Possible Setting: 0xffffffff
      Possible Settings increment: 0x00000001
      Possible Settings units: Seconds
    Current AC Power Setting Index: 0x00000708
    Current DC Power Setting Index: 0x00000384

    Power Setting GUID: 9d7815a6-7ee4-497e-8888-515a05f02364  (Hibernate after)
      GUID Alias: HIBERNATEIDLE
      Minimum Possible Setting: 0x00000000
      Maximum Possible Setting: 0xffffffff
      Possible Settings increment: 0x00000001
      Possible Settings units: Seconds
    Current AC Power Setting Index: 0x00000000
    Current DC Power Setting Index: 0x00002a30
"""
SPANISH = """GUID de plan de energía: 381b4222-f694-41f0-9685-ff5bb260df2e  (Equilibrado)
  GUID de subgrupo: 238c9fa8-0aad-41ed-83f4-97be242c8f20  (Suspender)
    GUID de configuración de energía: 29f6c1db-86da-48c5-9fdb-f2b67b1f44da  (Suspender tras)
      Valor mínimo posible: 0x00000000
      Valor máximo posible: 0xffffffff
      Incremento de valores posibles: 0x00000001
      Unidades de valores posibles: Segundos
    Índice de configuración de corriente alterna actual: 0x00000e10
    Índice de configuración de corriente continua actual: 0x00000384
"""
BUTTONS_QUERY = """  Subgroup GUID: 4f971e89-eebd-4455-a8de-9e59040e7347  (Power buttons and lid)
    Power Setting GUID: 5ca83367-6e45-459f-a27b-476b1d01c936  (Lid close action)
      Possible Setting Index: 000
      Possible Setting Friendly Name: Do nothing
      Possible Setting Index: 001
      Possible Setting Friendly Name: Sleep
    Current AC Power Setting Index: 0x00000001
    Current DC Power Setting Index: 0x00000001
"""
PMSET_CUSTOM = """Battery Power:
 powernap             0
 sleep                1
 displaysleep         2
AC Power:
 womp                 1
 powernap             1
 sleep                15
 Sleep On Power Button 1
 displaysleep         10
 disksleep            10
"""
PMSET_NEVER = """AC Power:
 womp                 1
 sleep                0 (sleep prevented by caffeinate, powerd)
 displaysleep         10
"""
TARGETS = """Id=sleep.target
LoadState={state}

Id=suspend.target
LoadState={state}

Id=hibernate.target
LoadState={state}

Id=hybrid-sleep.target
LoadState={state}
"""


def windows(sleep: str, buttons: str = "") -> power.Power:
    return power.windows(lambda command: buttons if "SUB_BUTTONS" in command else sleep)


def test_windows_says_after_how_many_minutes_it_sleeps_on_mains() -> None:
    found = windows(SLEEP_QUERY, BUTTONS_QUERY)
    assert found.allows == ("it sleeps after 30 minutes without use", "it sleeps when its lid is closed")
    assert "powercfg /change standby-timeout-ac 0" in found.remedy[0]
    values = power.parse_powercfg(SLEEP_QUERY)
    assert values["29f6c1db-86da-48c5-9fdb-f2b67b1f44da"] == (1800, 900)
    assert values["9d7815a6-7ee4-497e-8888-515a05f02364"] == (0, 10800)


def test_windows_in_another_language_says_the_same() -> None:
    assert windows(SPANISH).allows == ("it sleeps after 60 minutes without use",)


def test_windows_that_never_sleeps_is_fine_and_one_that_cannot_be_asked_is_unknown() -> None:
    assert windows(SLEEP_QUERY.replace("0x00000708", "0x00000000")) == power.Power(known=True)
    assert windows("") == power.Power(known=False)


@pytest.mark.parametrize(
    ("said", "allows"), [(PMSET_CUSTOM, ("it sleeps after 15 minutes without use",)), (PMSET_NEVER, ())]
)
def test_macos_counts_what_holds_on_mains(said: str, allows: tuple[str, ...]) -> None:
    found = power.macos(lambda _: said)
    assert found.known
    assert found.allows == allows
    assert bool(found.remedy) == bool(allows)


def test_macos_that_cannot_be_asked_is_unknown() -> None:
    assert not power.macos(lambda _: "").known


def linux(root: Path, state: str = "loaded") -> power.Power:
    return power.linux(lambda _: TARGETS.format(state=state), root)


def put(root: Path, name: str, text: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_linux_sleeps_when_logind_says_so_and_later_files_count_more(tmp_path: Path) -> None:
    put(tmp_path, "sys/power/state", "freeze mem disk\n")
    put(tmp_path, "etc/systemd/logind.conf", "[Login]\n#IdleAction=ignore\nIdleAction=suspend\nIdleActionSec=20min\n")
    assert linux(tmp_path).allows == ("it sleeps after 20min without use",)
    put(
        tmp_path,
        "etc/systemd/logind.conf.d/10-server.conf",
        "[Login]\nIdleAction=ignore\n[Other]\nIdleAction=suspend\n",
    )
    assert linux(tmp_path).allows == ()


def test_linux_with_a_lid_sleeps_when_it_is_closed_unless_told_otherwise(tmp_path: Path) -> None:
    put(tmp_path, "proc/acpi/button/lid/LID0/state", "state: open")
    assert linux(tmp_path).allows == ("it sleeps when its lid is closed",)
    put(tmp_path, "etc/systemd/logind.conf", "[Login]\nHandleLidSwitch=ignore\n")
    assert linux(tmp_path).allows == ()


def test_linux_whose_sleep_is_masked_or_impossible_does_not_sleep(tmp_path: Path) -> None:
    put(tmp_path, "etc/systemd/logind.conf", "[Login]\nIdleAction=suspend\n")
    assert linux(tmp_path).allows
    assert linux(tmp_path, "masked") == power.Power(known=True)
    put(tmp_path, "sys/power/state", "\n")
    assert linux(tmp_path) == power.Power(known=True)


def test_linux_without_systemd_is_unknown(tmp_path: Path) -> None:
    assert power.linux(lambda _: "", tmp_path) == power.Power(known=False)


def test_this_machine_answers_whatever_it_is() -> None:
    assert isinstance(power.look(), power.Power)
    assert power.look("an unknown system") == power.Power(known=False)
