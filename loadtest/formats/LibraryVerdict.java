import java.io.IOException;
import org.apache.flink.avro.shaded.org.apache.avro.AvroRuntimeException;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumReader;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.apache.flink.avro.shaded.org.apache.avro.io.BinaryDecoder;
import org.apache.flink.avro.shaded.org.apache.avro.io.DecoderFactory;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
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

  public RowData eval(byte[] message, TimestampData appendTime) {
    long appended = appendTime.getMillisecond();
    if (!isFramed(message)) {
      return reject("malformed", message, appended);
    }
    try {
      decoder = DecoderFactory.get().binaryDecoder(message, 5, message.length - 5, decoder);
      event = (GenericRecord) reader.read(event, decoder);
      if (!decoder.isEnd()) {
        return reject("malformed", message, appended);
      }
    } catch (IOException notAvro) {
      return reject("malformed", message, appended);
    } catch (AvroRuntimeException notAvro) {
      return reject("malformed", message, appended);
    }
    String product = (String) event.get(1);
    String type = (String) event.get(2);
    if (((String) event.get(0)).trim().isEmpty() || product.trim().isEmpty()
        || type.trim().isEmpty()) {
      return reject("missing_field", message, appended);
    }
    boolean click = type.equals("click");
    if (!click && !type.equals("impression") && !type.equals("view")) {
      return reject("unknown_type", message, appended);
    }
    long timestamp = ((Long) event.get(3)).longValue();
    return judgeTime(BinaryStringData.fromString(product), click, timestamp, message, appended);
  }
}
