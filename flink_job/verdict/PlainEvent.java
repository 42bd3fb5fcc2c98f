import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;

/**
 * Reads the form that nearly every message has, at a fraction of what a parser costs: an object of
 * texts and whole numbers in ASCII, nothing escaped and nothing nested, its four fields good. What
 * it reads it reads as the parser would; all else it leaves to the parser, bad or good.
 */
class PlainEvent {
  private static final byte[] USER = bytes("userId");
  private static final byte[] PRODUCT = bytes("productId");
  private static final byte[] TYPE = bytes("eventType");
  private static final byte[] TIMESTAMP = bytes("timestamp");
  private static final byte[] IMPRESSION = bytes("impression");
  private static final byte[] VIEW = bytes("view");
  private static final byte[] CLICK = bytes("click");

  /** No number of as many digits is beyond a long. */
  private static final int MOST_DIGITS = 18;

  private static final int NOT_PLAIN = -1;

  boolean click;
  long timestamp;

  private byte[] value;
  private boolean user;
  private boolean type;
  private int product;
  private int productEnd;

  /** Whether the value is of this form; only then the fields are those of its event. */
  boolean read(byte[] message) {
    value = message;
    user = false;
    type = false;
    productEnd = 0;
    timestamp = 0;
    int at = 0;
    int before = '{';
    do {
      at = after(at, before);
      at = at == NOT_PLAIN ? at : member(at);
      if (at == NOT_PLAIN) {
        return false;
      }
      before = ',';
    } while (value[at] == ',');
    return value[at] == '}' && at == value.length - 1
        && user && type && productEnd > 0 && timestamp > 0;
  }

  /** Refers to the message's own bytes. */
  StringData product() {
    return BinaryStringData.fromBytes(value, product, productEnd - product);
  }

  /** A name and its value; where what follows stands, or NOT_PLAIN. */
  private int member(int start) {
    int name = after(start, '"');
    int nameEnd = textEnd(name);
    int at = nameEnd == NOT_PLAIN ? NOT_PLAIN : after(nameEnd + 1, ':');
    if (at == NOT_PLAIN) {
      return NOT_PLAIN;
    }
    at = blanksEnd(at);
    if (at < value.length && value[at] == '"') {
      int textEnd = textEnd(at + 1);
      if (textEnd == NOT_PLAIN || !text(name, nameEnd, at + 1, textEnd)) {
        return NOT_PLAIN;
      }
      at = textEnd + 1;
    } else {
      at = number(name, nameEnd, at);
      if (at == NOT_PLAIN) {
        return NOT_PLAIN;
      }
    }
    at = blanksEnd(at);
    return at < value.length ? at : NOT_PLAIN;
  }

  /** Takes a text; false for one that only the parser may judge, such as one that may be blank. */
  private boolean text(int name, int nameEnd, int start, int end) {
    if (is(USER, name, nameEnd)) {
      user = start < end && value[start] != ' ';
      return user;
    }
    if (is(PRODUCT, name, nameEnd)) {
      product = start;
      productEnd = end;
      return start < end && value[start] != ' ';
    }
    if (is(TYPE, name, nameEnd)) {
      click = is(CLICK, start, end);
      type = click || is(IMPRESSION, start, end) || is(VIEW, start, end);
      return type;
    }
    return !is(TIMESTAMP, name, nameEnd);
  }

  /** Takes a whole number above zero; where it ends, or NOT_PLAIN. */
  private int number(int name, int nameEnd, int start) {
    long number = 0;
    int at = start;
    while (at < value.length && value[at] >= '0' && value[at] <= '9') {
      number = number * 10 + (value[at] - '0');
      at++;
    }
    if (at == start || value[start] == '0' || at - start > MOST_DIGITS) {
      return NOT_PLAIN;
    }
    if (is(TIMESTAMP, name, nameEnd)) {
      timestamp = number;
      return at;
    }
    boolean other =
        !is(USER, name, nameEnd) && !is(PRODUCT, name, nameEnd) && !is(TYPE, name, nameEnd);
    return other ? at : NOT_PLAIN;
  }

  /** Behind a mark that must come next, blanks before it aside; or NOT_PLAIN. */
  private int after(int start, int mark) {
    int at = blanksEnd(start);
    return at < value.length && value[at] == mark ? at + 1 : NOT_PLAIN;
  }

  private int blanksEnd(int start) {
    int at = start;
    while (at < value.length
        && (value[at] == ' ' || value[at] == '\n' || value[at] == '\r' || value[at] == '\t')) {
      at++;
    }
    return at;
  }

  /** Where the quote behind a text stands; or NOT_PLAIN, where the text has more than ASCII. */
  private int textEnd(int start) {
    if (start == NOT_PLAIN) {
      return NOT_PLAIN;
    }
    for (int at = start; at < value.length; at++) {
      byte one = value[at];
      if (one == '"') {
        return at;
      }
      // Bytes beyond ASCII are below zero.
      if (one < ' ' || one == '\\') {
        return NOT_PLAIN;
      }
    }
    return NOT_PLAIN;
  }

  private boolean is(byte[] word, int start, int end) {
    return Arrays.equals(value, start, end, word, 0, word.length);
  }

  private static byte[] bytes(String word) {
    return word.getBytes(StandardCharsets.US_ASCII);
  }
}
