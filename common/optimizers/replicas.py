"""What a training step needs to know of `tf.distribute`: each replica computes on a batch of its own, and all together
make one step."""

from collections.abc import Callable

from common.keras_compat import tf


def sum_over_replicas(value):
    """The sum of a tensor, or of `tf.IndexedSlices`, that each replica has; itself where there is one."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return value
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, value)


def variable_of_each_replica(value) -> tf.Variable:
    """A variable that each replica has for itself, with this value at first."""
    return tf.Variable(
        value,
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.SUM,
    )


def own(variable: tf.Variable) -> tf.Variable:
    """The part of `variable_of_each_replica` that this replica has: rows can be written to it, which the distributed
    one forbids."""
    replica = tf.get_static_value(tf.distribute.get_replica_context().replica_id_in_sync_group)
    here = tf.distribute.get_strategy().experimental_local_results(variable)
    return here[replica % len(here)]  # those of a worker are numbered one after the other


def do_if_any(condition, action: Callable[[], object]) -> None:
    """Do something in all replicas if a condition, a bool tensor, holds in one of them."""

    def everywhere(strategy, condition):
        holds = tf.reduce_any(tf.stack(strategy.experimental_local_results(condition)))
        tf.cond(holds, lambda: strategy.extended.call_for_each_replica(action), lambda: None)

    if tf.distribute.has_strategy():
        tf.distribute.get_replica_context().merge_call(everywhere, args=(condition,))
    else:
        tf.cond(condition, action, lambda: None)
