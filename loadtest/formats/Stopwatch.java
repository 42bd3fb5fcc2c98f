import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryStringData;

/**
 * Judges messages again and again. THE_VERDICT is the class that judges, put in before this is
 * compiled: a loop of its own for each, so that the JVM inlines one as well as the other.
 */
public class Stopwatch {
  private final THE_VERDICT verdict = new THE_VERDICT();
  private final ArrayList values = new ArrayList();
  private final ArrayList times = new ArrayList();
  private long sum;

  /** Messages of a file: append time, length and bytes of each. */
  public Stopwatch(String path) throws IOException {
    DataInputStream file = new DataInputStream(new BufferedInputStream(new FileInputStream(path)));
    try {
      while (true) {
        times.add(TimestampData.fromEpochMillis(file.readLong()));
        byte[] value = new byte[file.readInt()];
        file.readFully(value);
        values.add(value);
      }
    } catch (EOFException end) {
      file.close();
    }
  }

  public RowData judge(int message) {
    return verdict.eval((byte[]) values.get(message), (TimestampData) times.get(message));
  }

  /** CPU that the JVM took for it, collection of garbage included, in nanoseconds. */
  public long run(int rounds) {
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long before = system.getProcessCpuTime();
    for (int round = 0; round < rounds; round++) {
      for (int message = 0; message < values.size(); message++) {
        RowData row = judge(message);
        sum += row.getArity();
        if (row.isNullAt(0)) {
          // The name is written out as bytes behind the verdict in any case.
          BinaryStringData product = (BinaryStringData) row.getString(1);
          product.ensureMaterialized();
          sum += product.getSizeInBytes() + row.getLong(4);
        }
      }
    }
    return system.getProcessCpuTime() - before;
  }

  /** Of what was judged: the same for the same events, and no work is for nothing. */
  public long total() {
    return sum;
  }
}
