"""The wall clock of one process that is set forward or back by an hour while it runs, and set right again."""

from pipeline import Setting
from stage import Kind, Stage

_JUMP_S = 3600
_KILLED = 0.3  # of the strikes: another TaskManager, while the clock is wrong


def _set_a_clock(stage: Stage) -> float:
    """Nobody may notice: no TaskManager is given up, no leader deposed, no job restarts, and checkpoints go on."""
    cluster, pipeline, choose = stage.cluster, stage.pipeline, stage.choose
    victim = choose.choice((choose.choice(cluster.task_managers), cluster.job_manager))
    ahead = choose.choice((_JUMP_S, -_JUMP_S))
    stage.detail = f"{victim.name.split('-')[0]} {'forward' if ahead > 0 else 'back'}"
    restarts = stage.restarts()
    pipeline.calls.set_clock(victim.name, ahead)
    recovery_s = stage.go_on()
    _check_unnoticed(stage, restarts)
    if choose.random() < _KILLED:
        cluster.kill_task_manager(choose.choice([each for each in cluster.task_managers if each is not victim]))
        stage.go_on()
        stage.detail += ", another killed"
        restarts = stage.restarts()
    pipeline.calls.set_clock(victim.name, 0)
    stage.go_on()
    _check_unnoticed(stage, restarts)
    return recovery_s


def _check_unnoticed(stage: Stage, restarts: list[int]) -> None:
    cluster = stage.cluster
    assert not cluster.job_manager.exited(), f"the leader has ended\n{cluster.job_manager.log_tail()}"
    registered = cluster.rest("/overview")["taskmanagers"]
    assert registered == len(cluster.task_managers), f"{registered} TaskManagers\n{cluster.logs()}"
    assert stage.restarts() == restarts, f"jobs have restarted: {restarts}, {stage.restarts()}\n{cluster.logs()}"


KINDS = {"A12": Kind("sets the wall clock of one process an hour forward or back, then right again", _set_a_clock,
                     Setting(interposed=True, standbys=1), loads=3)}
