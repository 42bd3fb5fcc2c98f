import java.io.IOException;
import org.apache.flink.avro.shaded.org.apache.avro.AvroRuntimeException;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumReader;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.apache.flink.avro.shaded.org.apache.avro.io.BinaryDecoder;
import org.apache.flink.avro.shaded.org.apache.avro.io.DecoderFactory;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;

/** The same by Avro's own library, decoder and record used again and again as its guide says. */
public class LibraryVerdict extends AvroVerdict {
  private static final String TEXT = "{\"type\":\"string\",\"avro.java.string\":\"String\"}";
  private static final String SCHEMA = "{\"type\":\"record\",\"name\":\"Event\",\"fields\":["
      + "{\"name\":\"userId\",\"type\":" + TEXT + "},"
      + "{\"name\":\"productId\",\"type\":" + TEXT + "},"
      + "{\"name\":\"eventType\",\"type\":" + TEXT + "},"
      + "{\"name\":\"timestamp\",\"type\":\"long\"}]}";

  private GenericDatumReader reader = new GenericDatumReader(new Schema.Parser().parse(SCHEMA));
  private BinaryDecoder decoder;
  private GenericRecord event;

  public StringData judge(byte[] message, long appended) {
    if (!isFramed(message)) {
      return MALFORMED;
    }
    try {
      decoder = DecoderFactory.get().binaryDecoder(message, 5, message.length - 5, decoder);
      event = (GenericRecord) reader.read(event, decoder);
      if (!decoder.isEnd()) {
        return MALFORMED;
      }
    } catch (IOException notAvro) {
      return MALFORMED;
    } catch (AvroRuntimeException notAvro) {
      return MALFORMED;
    }
    String named = (String) event.get(1);
    String type = (String) event.get(2);
    if (((String) event.get(0)).trim().isEmpty() || named.trim().isEmpty()
        || type.trim().isEmpty()) {
      return MISSING_FIELD;
    }
    boolean clicked = type.equals("click");
    if (!clicked && !type.equals("impression") && !type.equals("view")) {
      return UNKNOWN_TYPE;
    }
    long timestamp = ((Long) event.get(3)).longValue();
    return judgeTime(BinaryStringData.fromString(named), clicked, timestamp, appended);
  }
}
