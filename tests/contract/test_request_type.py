import pytest

from credit_scoring.contract.model import Contract, Role
from credit_scoring.contract.request_type import (
    Application,
    application_type,
    request_columns,
)


def test_fields_stand_in_the_order_of_their_roles(contract: Contract):
    fields = application_type(contract).__struct_fields__
    assert fields == tuple(request_columns(contract))
    assert fields == contract.names(Role.ID) + contract.names(
        Role.APPLICATION
    ) + contract.names(Role.HISTORY) + contract.names(Role.PROTECTED)


def test_applications_are_frozen_and_left_alone_by_the_garbage_collector(
    contract: Contract,
):
    config = application_type(contract).__struct_config__
    assert config.frozen
    assert config.forbid_unknown_fields
    assert not config.gc


def test_only_the_generated_type_knows_the_history():
    with pytest.raises(NotImplementedError):
        _ = Application(loan_id="a").has_history
