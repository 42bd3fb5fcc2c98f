import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.StreamReadConstraints;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;

/**
 * One parse and one verdict for a Kafka value: rules 1 to 5 of the data contract, which is
 * specified in flink_job/domain.
 *
 * <p>Compiled by Janino, which Flink carries: no lambdas, no inferred generics, no varargs, no
 * static methods of interfaces.
 */
public class Verdict {
  private static final int MAX_LEVELS = 1000;
  private static final int MAX_NUMBER_CHARACTERS = 1000;
  private static final long FUTURE_MS = 60000L;
  private static final long OLD_MS = 7L * 24 * 3600000;
  private static final long WINDOW_MS = 10000L;

  private static final StringData MALFORMED = word("malformed");
  private static final StringData MISSING_FIELD = word("missing_field");
  private static final StringData UNKNOWN_TYPE = word("unknown_type");
  private static final StringData FUTURE = word("future_timestamp");
  private static final StringData OLD = word("old_timestamp");

  /** Of the last event that was not rejected. */
  public StringData product;
  public boolean click;
  /** Event time, at most the append time: what moves a partition's clock. */
  public long seen;
  /** Start of the 10-second window that the event falls into. */
  public long windowStart;

  private final JsonFactory json = strictJson();
  private final PlainEvent plain = new PlainEvent();

  /** Why a message is rejected; null where it is not, and then the fields are those of its event. */
  public StringData judge(byte[] value, long appended) {
    if (value != null && plain.read(value)) {
      return judgeTime(plain.product(), plain.click, plain.timestamp, appended);
    }
    return parse(value, appended);
  }

  private StringData parse(byte[] value, long appended) {
    String user = null;
    String named = null;
    String type = null;
    String time = null;

    // 1. malformed
    if (value == null || !isStrictUtf8(value)) {
      return MALFORMED;
    }
    try {
      JsonParser parser = json.createParser(value);
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        return MALFORMED;
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.getCurrentName();
        parser.nextToken();
        if (name.equals("userId")) {
          user = textOfValue(parser);
        } else if (name.equals("productId")) {
          named = textOfValue(parser);
        } else if (name.equals("eventType")) {
          type = textOfValue(parser);
        } else if (name.equals("timestamp")) {
          time = textOfValue(parser);
        } else {
          skipValue(parser);
        }
      }
      if (parser.currentToken() != JsonToken.END_OBJECT || parser.nextToken() != null) {
        return MALFORMED;
      }
    } catch (IOException notJson) {
      return MALFORMED;
    }
    if (hasUnpairedSurrogate(user) || hasUnpairedSurrogate(named) || hasUnpairedSurrogate(type)) {
      return MALFORMED;
    }
    long timestamp = 0;
    if (!isBlank(time)) {
      try {
        timestamp = Long.parseLong(time);
      } catch (NumberFormatException notAnInteger) {
        return MALFORMED;
      }
      if (!Long.toString(timestamp).equals(time)) {
        return MALFORMED;
      }
    }

    // 2. missing_field
    if (isBlank(user) || isBlank(named) || isBlank(type) || isBlank(time)) {
      return MISSING_FIELD;
    }

    // 3. unknown_type
    boolean clicked = type.equals("click");
    if (!clicked && !type.equals("impression") && !type.equals("view")) {
      return UNKNOWN_TYPE;
    }
    return judgeTime(BinaryStringData.fromString(named), clicked, timestamp, appended);
  }

  private StringData judgeTime(StringData named, boolean clicked, long timestamp, long appended) {
    // 4. future_timestamp, 5. old_timestamp
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

  private static JsonFactory strictJson() {
    JsonFactory json = new JsonFactory();
    json.setStreamReadConstraints(StreamReadConstraints.builder()
        .maxNestingDepth(MAX_LEVELS)
        .maxNumberLength(MAX_NUMBER_CHARACTERS)
        .maxStringLength(Integer.MAX_VALUE)
        .maxNameLength(Integer.MAX_VALUE)
        .build());
    // Names that collide on purpose would otherwise throw; names that never repeat would be kept.
    json.configure(JsonFactory.Feature.FAIL_ON_SYMBOL_HASH_OVERFLOW, false);
    json.configure(JsonFactory.Feature.INTERN_FIELD_NAMES, false);
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

  /** With its bytes at hand, so that they are made of it once. */
  private static StringData word(String text) {
    return BinaryStringData.fromBytes(text.getBytes(StandardCharsets.UTF_8));
  }
}
