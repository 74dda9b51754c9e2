import platform

from sbir_gate.gate.measuring.machine import calibration_workload, describe_machine, time_calibration
from sbir_gate.model.samples import Calibration


def test_the_fingerprint_is_stable_and_holds_no_host_name():
    machine = describe_machine()
    assert machine == describe_machine()
    assert len(machine.fingerprint) == 16
    assert platform.node() not in {machine.cpu_model, machine.system, machine.python_version}
    assert machine.cores >= 1
    assert machine.memory_mib > 100


def test_another_processor_is_another_fingerprint(tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Abacus 9000\n")
    machine = describe_machine(cpuinfo)
    assert machine.cpu_model == "Abacus 9000"
    assert machine.fingerprint != describe_machine().fingerprint


def test_a_machine_that_does_not_tell_its_processor_is_still_described(tmp_path):
    assert describe_machine(tmp_path / "absent").cpu_model
    (tmp_path / "empty").write_text("")
    assert describe_machine(tmp_path / "empty").cpu_model


def test_the_workload_always_does_the_same():
    assert calibration_workload() == calibration_workload()


def test_the_calibration_is_the_fastest_of_its_rounds():
    ticks = iter([0, 5, 10, 13, 20, 29, 30, 34, 40, 46])
    rounds = []
    cpu_ticks = iter([0, 5, 5, 7, 7, 16, 16, 20, 20, 24])
    timing = time_calibration(lambda: next(ticks), lambda: next(cpu_ticks), lambda: rounds.append(1))
    assert timing == Calibration(3, 2)
    assert len(rounds) == 5
