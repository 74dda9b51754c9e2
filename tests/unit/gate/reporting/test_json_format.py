from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.reporting.json_format import render_json
from sbir_gate.model.document import VERDICT, decode
from tests.factories import make_policy, make_run, with_lost_links


def test_the_json_report_is_the_saved_document():
    verdict = judge(with_lost_links(make_run(), 7), make_run(), make_policy())
    assert decode(VERDICT, render_json(verdict), "report.json") == verdict
