"""A topic's plan made from broker and tables, and applied."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from headrace.contract.model import Contract
from headrace.errors import TopicDiffers, TopicMissing
from headrace.kafka.topics import (
    TopicState,
    add_partitions,
    describe_topic,
    ensure_topic,
    log_end,
    offsets_at,
    set_config,
)
from headrace.offsets import lag
from headrace.provision.coverage import RETENTION, retention
from headrace.provision.plan import Plan, Unlanded, plan_topic
from headrace.tables.batches import landed_position
from headrace.tables.warehouse import Warehouse


def make_plan(contract: Contract, warehouse: Warehouse, config: Mapping[str, Any]) -> Plan:
    """What would be done to the contract's topic now; nothing is changed.

    Raises:
        BrokerUnreachable: no answer in time.
        SettingsError: the broker refuses the log-in or the question.
    """
    try:
        state = describe_topic(config, contract.topic.name)
    except TopicMissing:
        return plan_topic(contract, None, Unlanded())
    return plan_topic(contract, state, _unlanded(contract, state, warehouse, config))


def apply_plan(contract: Contract, plan: Plan, config: Mapping[str, Any]) -> TopicState:
    """Do what the plan says, all of it or, where something is refused, nothing; the topic as it is then.

    Raises:
        TopicDiffers: something is refused; the message names each with its way out.
        ContractError: the broker refuses what the contract declares.
        BrokerUnreachable: no answer, or what was made does not show, in time.
    """
    if plan.refused:
        raise TopicDiffers(
            f"topic {plan.topic} is not as its contract declares, nothing was changed: "
            + "; ".join(plan.refused)
        )
    if plan.create:
        return ensure_topic(config, contract.topic)
    if plan.config:
        set_config(config, plan.topic, {each.name: each.after for each in plan.config})
    if plan.partitions:
        add_partitions(config, plan.topic, plan.partitions)
    return describe_topic(config, plan.topic)


def _unlanded(
    contract: Contract, state: TopicState, warehouse: Warehouse, config: Mapping[str, Any]
) -> Unlanded:
    """Asked only where a change of the config could remove records."""
    declared = contract.topic.config
    if all(state.config.get(name) == value for name, value in declared.items()):
        return Unlanded()
    landed = landed_position(warehouse, state.topic_id)
    offsets = lag(landed, log_end(config, state.name, committed=False))
    kept = retention(declared.get(RETENTION))
    if kept is None or not offsets:
        return Unlanded(offsets)
    return Unlanded(offsets, lag(landed, offsets_at(config, state.name, datetime.now(UTC) - kept)))
