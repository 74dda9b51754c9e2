import pytest

from sbir_gate.errors import ConfigurationError
from sbir_gate.measuring.environment import scrubbed_environment

SECRETS = (
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "ACTIONS_RUNTIME_URL",
    "INPUT_PATH",
    "SLACK_WEBHOOK_URL",
    "SBIR_GATE__SLACK__WEBHOOK_URL",
    "SBIR_GATE__GITHUB_TOKEN",
    "PGPASSWORD",
    "aws_secret_access_key",
)


def test_only_the_allow_list_passes():
    environment = {
        "PATH": "/bin",
        "LC_ALL": "C",
        "SBIR_GATE__A__B": "1",
        "OMP_NUM_THREADS": "1",
        "CI": "true",
    }
    passed = scrubbed_environment(environment, ())
    assert passed == {key: value for key, value in environment.items() if key != "CI"}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_never_passes(name):
    assert scrubbed_environment({name: "x", "PATH": "/bin"}, ()) == {"PATH": "/bin"}
    with pytest.raises(ConfigurationError, match=name):
        scrubbed_environment({}, (name,))


def test_the_configuration_can_add_a_name():
    assert scrubbed_environment({"JAVA_HOME": "/java"}, ("JAVA_HOME", "ABSENT")) == {"JAVA_HOME": "/java"}
