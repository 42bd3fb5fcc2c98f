import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;

/**
 * The verdict as it would be for messages in Avro, read by hand as fast as it can be done: what the
 * page of JSON is measured against. It is no part of the job.
 */
public class AvroVerdict {
  private static final byte[] FRAME = new byte[] {0, 0, 0, 0, 1};
  private static final byte[] CLICK = bytes("click");
  private static final byte[] VIEW = bytes("view");
  private static final byte[] IMPRESSION = bytes("impression");
  private static final long FUTURE_MS = 60000L;
  private static final long OLD_MS = 7L * 24 * 3600000;
  private static final long WINDOW_MS = 10000L;

  protected static final StringData MALFORMED = BinaryStringData.fromString("malformed");
  protected static final StringData MISSING_FIELD = BinaryStringData.fromString("missing_field");
  protected static final StringData UNKNOWN_TYPE = BinaryStringData.fromString("unknown_type");
  private static final StringData FUTURE = BinaryStringData.fromString("future_timestamp");
  private static final StringData OLD = BinaryStringData.fromString("old_timestamp");

  /** As in Verdict. */
  public StringData product;
  public boolean click;
  public long seen;
  public long windowStart;

  private byte[] value;
  private int at;
  private int start;

  public StringData judge(byte[] message, long appended) {
    value = message;
    at = FRAME.length;
    if (!isFramed(message)) {
      return MALFORMED;
    }
    int user;
    int userEnd;
    int name;
    int nameEnd;
    int type;
    int typeEnd;
    long timestamp;
    try {
      userEnd = textEnd();
      user = start;
      nameEnd = textEnd();
      name = start;
      typeEnd = textEnd();
      type = start;
      timestamp = number();
    } catch (IOException notAvro) {
      return MALFORMED;
    }
    if (at != message.length) {
      return MALFORMED;
    }
    if (isBlank(user, userEnd) || isBlank(name, nameEnd) || isBlank(type, typeEnd)) {
      return MISSING_FIELD;
    }
    boolean clicked = is(CLICK, type, typeEnd);
    if (!clicked && !is(IMPRESSION, type, typeEnd) && !is(VIEW, type, typeEnd)) {
      return UNKNOWN_TYPE;
    }
    StringData named = BinaryStringData.fromBytes(message, name, nameEnd - name);
    return judgeTime(named, clicked, timestamp, appended);
  }

  protected static boolean isFramed(byte[] message) {
    return message != null && message.length > FRAME.length
        && Arrays.equals(message, 0, FRAME.length, FRAME, 0, FRAME.length);
  }

  protected StringData judgeTime(
      StringData named, boolean clicked, long timestamp, long appended) {
    if (timestamp > appended + FUTURE_MS) {
      return FUTURE;
    }
    if (timestamp < appended - OLD_MS) {
      return OLD;
    }
    product = named;
    click = clicked;
    seen = Math.min(timestamp, appended);
    windowStart = timestamp - Math.floorMod(timestamp, WINDOW_MS);
    return null;
  }

  /** The end of the text that begins at `start`. */
  private int textEnd() throws IOException {
    long length = number();
    if (length < 0 || length > value.length - at) {
      throw new IOException("a text longer than the message");
    }
    start = at;
    at += (int) length;
    for (int i = start; i < at; i++) {
      if (value[i] < 0) {
        // Throws what is an IOException where it is not UTF-8.
        StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value, start, at - start));
        break;
      }
    }
    return at;
  }

  private long number() throws IOException {
    long number = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at == value.length) {
        throw new IOException("the message is cut short");
      }
      byte group = value[at++];
      number |= (group & 0x7FL) << shift;
      if (group >= 0) {
        return number >>> 1 ^ -(number & 1);
      }
    }
    throw new IOException("a number of more than 64 bits");
  }

  private boolean isBlank(int from, int end) {
    for (int i = from; i < end; i++) {
      if (value[i] != ' ') {
        return false;
      }
    }
    return true;
  }

  private boolean is(byte[] word, int from, int end) {
    return Arrays.equals(value, from, end, word, 0, word.length);
  }

  private static byte[] bytes(String word) {
    return word.getBytes(StandardCharsets.US_ASCII);
  }
}
