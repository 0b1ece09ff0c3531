"""A run as the demonstration shows it."""

from local.demo.watch import stage_order


def test_stages_stand_in_the_order_of_the_dag() -> None:
    tasks = [
        {"task_id": "c", "downstream_task_ids": []},
        {"task_id": "a", "downstream_task_ids": ["b", "c"]},
        {"task_id": "b", "downstream_task_ids": ["c"]},
    ]
    assert stage_order(tasks) == ["a", "b", "c"]


def test_stages_side_by_side_stand_as_airflow_lists_them() -> None:
    edges = {"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}
    tasks = [{"task_id": task, "downstream_task_ids": after} for task, after in edges.items()]
    assert stage_order(tasks) == ["a", "b", "c", "d"]
