"""Faults of a commit itself: nobody knows how it ended, or somebody else has taken the writer's transactional id.
The jobs settle it, each row there once."""

from peers import kafka_wire
from pipeline import Setting
from stage import Kind, Stage

_SETTING = Setting(proxies=True)
# They write in every checkpoint.
_SINKS = ("sessionized_events_in_kafka", "events-dead-letters")
_WRITERS = 3


def _lose_an_answer(stage: Stage) -> float:
    """To the next commit, of Kafka and PostgreSQL in turn."""
    stage.detail = peer = stage.next_of(("postgres", "kafka"))
    proxy = stage.pipeline.proxies[peer]
    lost = proxy.lost
    proxy.lose_next()
    stage.load()
    stage.cluster.wait(lambda: proxy.lost > lost, "an answer to be lost", 30)
    return stage.go_on()


def _lose_a_request(stage: Stage) -> float:
    """The next commit itself: whoever takes an unknown outcome for a success would lose rows here."""
    stage.detail = peer = stage.next_of(("postgres", "kafka"))
    proxy = stage.pipeline.proxies[peer]
    lost = proxy.lost
    proxy.lose_next_request()
    stage.load()
    stage.cluster.wait(lambda: proxy.lost > lost, "a commit to be lost", 30)
    return stage.go_on()


def _steal_a_transactional_id(stage: Stage) -> float:
    """Of a writer that has committed and will again, until a commit has failed for that reason. No job restarts."""
    [[lineage]] = stage.pipeline.scenario.sql(
        "SELECT DISTINCT lineage FROM watershed_sink_progress WHERE sink = 'sessionized_events'")
    sink = stage.choose.choice(_SINKS)
    stage.detail = sink
    retries, restarts = stage.retries(), stage.restarts()
    kafka_wire.take_transactional_id(stage.pipeline.broker.url,
                                     f"watershed-{lineage}-{sink}-{stage.choose.randrange(_WRITERS)}")
    stage.load()
    stage.cluster.wait(lambda: stage.retries() > retries, "the writer to be fenced", 30)
    recovery_s = stage.go_on()
    assert stage.restarts() == restarts, f"jobs have restarted: {restarts}, {stage.restarts()}"
    return recovery_s


KINDS = {
    "A6": Kind("loses the answer to a commit, of Kafka and PostgreSQL in turn", _lose_an_answer, _SETTING,
               within_checkpoint=True, loads=2, short=2),
    "A6 request": Kind("loses a commit itself, of Kafka and PostgreSQL in turn", _lose_a_request, _SETTING,
                       within_checkpoint=True, loads=2),  # in the short test PostgreSQL's: it comes third
    "A7": Kind("takes a writer's transactional id as another producer", _steal_a_transactional_id, _SETTING,
               within_checkpoint=True, loads=2),
}
