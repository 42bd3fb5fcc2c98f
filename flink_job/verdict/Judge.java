import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.BooleanType;
import org.apache.flink.table.types.logical.IntType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.VarBinaryType;
import org.apache.flink.table.types.logical.VarCharType;

/**
 * The one outcome of each message, as a step behind the source, in its thread: rules 1 to 5 by
 * Verdict, and rule 6 by the clock of the message's partition, the highest event time up to and
 * including this message.
 *
 * <p>A partition is read by one source at a time and in order, so that its clock can be kept where
 * it is read, and no message has to be sent to where a clock is. Clocks are in the checkpoint with
 * the offsets that they belong to. After a restart any source may read any partition, so each is
 * given all clocks. Clocks only grow: where two know the same, the higher is right.
 */
public class Judge extends RichMapFunction implements CheckpointedFunction, ResultTypeQueryable {
  private static final long HOUR_MS = 3600000L;
  private static final long LATE_AFTER_MS = 10000L + 5000L + 5000L;

  private static final StringData COUNTED = word("counted");
  private static final StringData LATE = word("late");

  private transient Verdict verdict;
  private transient GenericRowData judged;
  private transient Partition current;
  private transient Map partitions;
  private transient ListState kept;

  /** A partition, and how far event time has come in it. */
  private static class Partition {
    final String topic;
    final int number;
    final StringData topicText;
    final Integer boxedNumber;
    long clock = Long.MIN_VALUE;
    boolean read;

    Partition(String topic, int number) {
      this.topic = topic;
      this.number = number;
      this.topicText = word(topic);
      this.boxedNumber = Integer.valueOf(number);
    }
  }

  /** A row of `incoming`, in the order of its columns; the same row comes back each time. */
  public Object map(Object message) {
    RowData incoming = (RowData) message;
    byte[] value = incoming.isNullAt(0) ? null : incoming.getBinary(0);
    Partition partition = partition(incoming.getString(1).toString(), incoming.getInt(2));
    long appended = incoming.getTimestamp(4, 3).getMillisecond();

    StringData outcome = verdict.judge(value, appended);
    boolean isEvent = outcome == null;
    if (isEvent) {
      partition.clock = Math.max(partition.clock, verdict.seen);
      boolean late = verdict.windowStart + LATE_AFTER_MS <= Math.min(partition.clock, appended);
      outcome = late ? LATE : COUNTED;
    }
    GenericRowData row = judged;
    row.setField(0, partition.topicText);
    row.setField(1, partition.boxedNumber);
    row.setField(2, Long.valueOf(incoming.getLong(3)));
    row.setField(3, outcome);
    row.setField(4, isEvent ? verdict.product : null);
    row.setField(5, isEvent ? Boolean.valueOf(verdict.click) : null);
    row.setField(6, isEvent ? Long.valueOf(verdict.windowStart) : null);
    // Counted events stand in the hour of their window, all others in that of their append time.
    row.setField(7, Long.valueOf(hour(outcome == COUNTED ? verdict.windowStart : appended)));
    row.setField(8, outcome == COUNTED ? null : value);
    return row;
  }

  private static long hour(long time) {
    return time - Math.floorMod(time, HOUR_MS);
  }

  /** Messages of a partition come many at a time, so that it is rarely another. */
  private Partition partition(String topic, int number) {
    if (current == null || current.number != number || !current.topic.equals(topic)) {
      current = known(topic, number);
      current.read = true;
    }
    return current;
  }

  private Partition known(String topic, int number) {
    // No topic has a slash in its name.
    String name = topic + "/" + number;
    Partition partition = (Partition) partitions.get(name);
    if (partition == null) {
      partition = new Partition(topic, number);
      partitions.put(name, partition);
    }
    return partition;
  }

  public void initializeState(FunctionInitializationContext context) throws Exception {
    verdict = new Verdict();
    judged = new GenericRowData(9);
    current = null;
    partitions = new HashMap();
    kept = context.getOperatorStateStore().getUnionListState(clocks());
    Iterator clocks = ((Iterable) kept.get()).iterator();
    while (clocks.hasNext()) {
      Tuple3 clock = (Tuple3) clocks.next();
      Partition partition = known((String) clock.f0, ((Integer) clock.f1).intValue());
      partition.clock = Math.max(partition.clock, ((Long) clock.f2).longValue());
    }
  }

  /**
   * Each clock is written by who reads its partition, and by the first of all, since a partition may
   * be silent for so long that nobody has read it after a restart.
   */
  public void snapshotState(FunctionSnapshotContext context) throws Exception {
    boolean first = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask() == 0;
    List clocks = new ArrayList();
    Iterator known = partitions.values().iterator();
    while (known.hasNext()) {
      Partition partition = (Partition) known.next();
      if (first || partition.read) {
        clocks.add(Tuple3.of(
            partition.topic, Integer.valueOf(partition.number), Long.valueOf(partition.clock)));
      }
    }
    kept.update(clocks);
  }

  /** In the state: topic, partition, clock. */
  public ListStateDescriptor clocks() {
    return new ListStateDescriptor(
        "clocks", Types.TUPLE(new TypeInformation[] {Types.STRING, Types.INT, Types.LONG}));
  }

  /** The columns of `judged`. */
  public TypeInformation getProducedType() {
    LogicalType text = new VarCharType(VarCharType.MAX_LENGTH);
    return InternalTypeInfo.of(RowType.of(
        new LogicalType[] {
            text, new IntType(), new BigIntType(), text, text, new BooleanType(), new BigIntType(),
            new BigIntType(), new VarBinaryType(VarBinaryType.MAX_LENGTH)},
        new String[] {
            "topic", "partition", "offset", "outcome", "product_id", "click", "window_start",
            "hour", "payload"}));
  }

  /** With its bytes at hand, so that they are made of it once. */
  private static StringData word(String text) {
    return BinaryStringData.fromBytes(text.getBytes(StandardCharsets.UTF_8));
  }
}
