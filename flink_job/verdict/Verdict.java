import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.StreamReadConstraints;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.functions.ScalarFunction;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.InputTypeStrategies;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.inference.TypeStrategies;

/**
 * One parse and one verdict for a Kafka value: rules 1 to 5 of the data contract, which is
 * specified in flink_job/domain. The SQL around it does the partition's clock, rule 6 and the rest.
 *
 * <p>Compiled by Janino, which Flink carries: no lambdas, no inferred generics, no varargs, no
 * static methods of interfaces.
 */
public class Verdict extends ScalarFunction {
  private static final int MAX_LEVELS = 1000;
  private static final int MAX_NUMBER_CHARACTERS = 1000;
  private static final long FUTURE_MS = 60000L;
  private static final long OLD_MS = 7L * 24 * 3600000;
  private static final long WINDOW_MS = 10000L;
  private static final long LATE_AFTER_MS = WINDOW_MS + 5000L + 5000L;

  private static final StringData MALFORMED = BinaryStringData.fromString("malformed");
  private static final StringData MISSING_FIELD = BinaryStringData.fromString("missing_field");
  private static final StringData UNKNOWN_TYPE = BinaryStringData.fromString("unknown_type");
  private static final StringData FUTURE = BinaryStringData.fromString("future_timestamp");
  private static final StringData OLD = BinaryStringData.fromString("old_timestamp");

  private transient JsonFactory json;
  private transient byte[] lastValue;
  private transient long lastAppended;
  private transient RowData lastVerdict;

  /** Written out, since Janino knows no annotations on parameters. */
  public TypeInference getTypeInference(DataTypeFactory types) {
    DataType text = (DataType) DataTypes.STRING().bridgedTo(StringData.class);
    DataType row = DataTypes.ROW(Arrays.asList(new Object[] {
        DataTypes.FIELD("rejected", text),
        DataTypes.FIELD("product_id", text),
        DataTypes.FIELD("click", DataTypes.BOOLEAN()),
        DataTypes.FIELD("seen", DataTypes.BIGINT()),
        DataTypes.FIELD("window_start", DataTypes.BIGINT()),
        DataTypes.FIELD("appended", DataTypes.BIGINT()),
        DataTypes.FIELD("payload", DataTypes.BYTES())}));
    DataType time = (DataType) DataTypes.TIMESTAMP_LTZ(3).bridgedTo(TimestampData.class);
    return TypeInference.newBuilder()
        .inputTypeStrategy(
            InputTypeStrategies.explicitSequence(new DataType[] {DataTypes.BYTES(), time}))
        .outputTypeStrategy(TypeStrategies.explicit((DataType) row.bridgedTo(RowData.class)))
        .build();
  }

  /**
   * The planner repeats the call for every field of the row that it reads; they come one after the
   * other with the same array, so that one parse serves them all.
   */
  public RowData eval(byte[] value, TimestampData appendTime) {
    long appended = appendTime.getMillisecond();
    if (value == null || value != lastValue || appended != lastAppended) {
      lastVerdict = judge(value, appended);
      lastValue = value;
      lastAppended = appended;
    }
    return lastVerdict;
  }

  private RowData judge(byte[] value, long appended) {
    String user = null;
    String product = null;
    String type = null;
    String time = null;

    // 1. malformed
    if (value == null || !isStrictUtf8(value)) {
      return reject(MALFORMED, value, appended);
    }
    try {
      JsonParser parser = json().createParser(value);
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        return reject(MALFORMED, value, appended);
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.getCurrentName();
        parser.nextToken();
        if (name.equals("userId")) {
          user = textOfValue(parser);
        } else if (name.equals("productId")) {
          product = textOfValue(parser);
        } else if (name.equals("eventType")) {
          type = textOfValue(parser);
        } else if (name.equals("timestamp")) {
          time = textOfValue(parser);
        } else {
          skipValue(parser);
        }
      }
      if (parser.currentToken() != JsonToken.END_OBJECT || parser.nextToken() != null) {
        return reject(MALFORMED, value, appended);
      }
    } catch (IOException notJson) {
      return reject(MALFORMED, value, appended);
    }
    if (hasUnpairedSurrogate(user) || hasUnpairedSurrogate(product) || hasUnpairedSurrogate(type)) {
      return reject(MALFORMED, value, appended);
    }
    long timestamp = 0;
    if (!isBlank(time)) {
      try {
        timestamp = Long.parseLong(time);
      } catch (NumberFormatException notAnInteger) {
        return reject(MALFORMED, value, appended);
      }
      if (!Long.toString(timestamp).equals(time)) {
        return reject(MALFORMED, value, appended);
      }
    }

    // 2. missing_field
    if (isBlank(user) || isBlank(product) || isBlank(type) || isBlank(time)) {
      return reject(MISSING_FIELD, value, appended);
    }

    // 3. unknown_type
    boolean click = type.equals("click");
    if (!click && !type.equals("impression") && !type.equals("view")) {
      return reject(UNKNOWN_TYPE, value, appended);
    }

    // 4. future_timestamp, 5. old_timestamp
    if (timestamp > appended + FUTURE_MS) {
      return reject(FUTURE, value, appended);
    }
    if (timestamp < appended - OLD_MS) {
      return reject(OLD, value, appended);
    }

    // Only what is late by its own append time can be late by the clock, and needs its payload.
    long windowStart = timestamp - Math.floorMod(timestamp, WINDOW_MS);
    return GenericRowData.of(new Object[] {
        null,
        BinaryStringData.fromString(product),
        Boolean.valueOf(click),
        Long.valueOf(Math.min(timestamp, appended)),
        Long.valueOf(windowStart),
        Long.valueOf(appended),
        windowStart + LATE_AFTER_MS <= appended ? value : null});
  }

  private static RowData reject(StringData reason, byte[] value, long appended) {
    return GenericRowData.of(
        new Object[] {reason, null, null, null, null, Long.valueOf(appended), value});
  }

  private JsonFactory json() {
    if (json == null) {
      json = new JsonFactory();
      json.setStreamReadConstraints(StreamReadConstraints.builder()
          .maxNestingDepth(MAX_LEVELS)
          .maxNumberLength(MAX_NUMBER_CHARACTERS)
          .maxStringLength(Integer.MAX_VALUE)
          .maxNameLength(Integer.MAX_VALUE)
          .build());
      // Names that collide on purpose would otherwise throw; names that never repeat would be kept.
      json.configure(JsonFactory.Feature.FAIL_ON_SYMBOL_HASH_OVERFLOW, false);
      json.configure(JsonFactory.Feature.INTERN_FIELD_NAMES, false);
    }
    return json;
  }

  /** The text of a scalar as it stands in the message; null for null, an object or an array. */
  private static String textOfValue(JsonParser parser) throws IOException {
    JsonToken token = parser.currentToken();
    skipValue(parser);
    return token.isScalarValue() && token != JsonToken.VALUE_NULL ? parser.getText() : null;
  }

  /** To the end of a value. The parser's own limit counts digits, the contract characters. */
  private static void skipValue(JsonParser parser) throws IOException {
    int open = 0;
    for (JsonToken token = parser.currentToken(); ; token = parser.nextToken()) {
      if (token == null) {
        throw new IOException("the value does not end");
      }
      if (token.isStructStart()) {
        open++;
      } else if (token.isStructEnd()) {
        open--;
      } else if (token.isNumeric() && parser.getTextLength() > MAX_NUMBER_CHARACTERS) {
        throw new IOException("a number too long");
      }
      if (open == 0) {
        return;
      }
    }
  }

  private static boolean isBlank(String text) {
    if (text == null) {
      return true;
    }
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) != ' ') {
        return false;
      }
    }
    return true;
  }

  private static boolean hasUnpairedSurrogate(String text) {
    if (text == null) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c) && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Strict UTF-8 without a byte order mark. The parser guesses UTF-16 and UTF-32 from a NUL among
   * the first four bytes or from a mark; JSON in UTF-8 has neither.
   */
  private static boolean isStrictUtf8(byte[] value) {
    for (int i = 0; i < 4 && i < value.length; i++) {
      if (value[i] == 0) {
        return false;
      }
    }
    if (value.length > 0 && (value[0] & 0xFF) >= 0xEF) {
      return false;
    }
    for (int i = 0; i < value.length; i++) {
      if (value[i] < 0) {
        return decodes(value);
      }
    }
    return true;
  }

  private static boolean decodes(byte[] value) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value));
      return true;
    } catch (CharacterCodingException notUtf8) {
      return false;
    }
  }
}
