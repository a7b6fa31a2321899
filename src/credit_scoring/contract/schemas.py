"""The contract as a pandera schema: what a typed, accepted frame looks like."""

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from credit_scoring.contract.model import Column, Contract, Role
from credit_scoring.errors import ContractError

_DTYPES = {Role.ID: "str", Role.TARGET: "int8", Role.DATE: "datetime64[s]"}
_SHOWN = 8


def applications_schema(contract: Contract) -> pa.DataFrameSchema:
    """Generate the schema of validated applications from the contract.

    It describes the frame after the recodes and sentinels, as
    `credit_scoring.contract.rows.check_rows` gives it: the contract's columns in
    their order and no others, ids unique, at least one row.
    """
    return pa.DataFrameSchema(
        {name: _column(column) for name, column in contract.columns.items()},
        checks=pa.Check(lambda frame: len(frame) > 0, name="has_rows", error="no rows"),
        strict=True,
        ordered=True,
        name=f"{contract.name}_v{contract.version}",
        description=contract.title,
    )


def check_schema(frame: pd.DataFrame, schema: pa.DataFrameSchema) -> None:
    """Check a frame against a schema.

    Raises:
        ContractError: If anything differs; names the columns and the checks, and
            how many rows fail each, without their values.
    """
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases
        # For these two checks the failing case is a column's name, not a value.
        about_columns = cases["check"].isin(["column_in_dataframe", "column_in_schema"])
        cases["column"] = cases["column"].mask(about_columns, cases["failure_case"])
        counts = cases.groupby(["column", "check"], dropna=False, sort=False).size()
        lines = [f"{column}: {check} ({n})" for (column, check), n in counts.items()]
        more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
        raise ContractError(
            f"the rows do not fit the schema {schema.name}: "
            f"{'; '.join(lines[:_SHOWN])}{more}"
        ) from None


def _column(column: Column) -> pa.Column:
    return pa.Column(
        _DTYPES.get(column.role, "float64"),
        checks=_checks(column),
        nullable=column.nullable,
        unique=column.role is Role.ID,
        title=column.source,
        description=column.description,
        metadata={"role": str(column.role), "unit": column.unit},
    )


def _checks(column: Column) -> list[pa.Check]:
    if column.role is Role.ID:
        return [] if column.pattern is None else [_matches(column.pattern)]
    if column.type == "date":
        return []
    if column.role is Role.TARGET:
        return [pa.Check.isin([0, 1])]
    if column.categories is not None:
        return [pa.Check.isin([float(code) for code in column.categories])]
    return _bounds(column)


def _matches(pattern: str) -> pa.Check:
    return pa.Check(
        lambda cells: cells.str.fullmatch(pattern),
        name="matches",
        error=f"matches {pattern}",
    )


def _bounds(column: Column) -> list[pa.Check]:
    # What a recode leads to is accepted, in or out of the range.
    if column.recode:
        return []
    checks = []
    if column.minimum is not None:
        checks.append(pa.Check.ge(column.minimum))
    if column.maximum is not None:
        checks.append(pa.Check.le(column.maximum))
    return checks
