import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import org.apache.flink.table.data.StringData;
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
        times.add(Long.valueOf(file.readLong()));
        byte[] value = new byte[file.readInt()];
        file.readFully(value);
        values.add(value);
      }
    } catch (EOFException end) {
      file.close();
    }
  }

  /** The outcome of a message, or product, kind and times of its event. */
  public String said(int message) {
    StringData rejected = judge(message);
    return rejected != null ? rejected.toString() : verdict.product + " " + verdict.click + " "
        + verdict.seen + " " + verdict.windowStart;
  }

  private StringData judge(int message) {
    return verdict.judge((byte[]) values.get(message), ((Long) times.get(message)).longValue());
  }

  /** CPU that the JVM took for it, collection of garbage included, in nanoseconds. */
  public long run(int rounds) {
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long before = system.getProcessCpuTime();
    for (int round = 0; round < rounds; round++) {
      for (int message = 0; message < values.size(); message++) {
        if (judge(message) == null) {
          // The name is written out as bytes behind the verdict in any case.
          BinaryStringData product = (BinaryStringData) verdict.product;
          product.ensureMaterialized();
          sum += product.getSizeInBytes() + verdict.windowStart;
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
