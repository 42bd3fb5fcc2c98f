import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The contract in Kafka Streams: a processor judges each message by its partition's clock, which a
 * store keeps, and the DSL counts what is left. Messages are keyed by product, as the contract has
 * it, so that nothing is sent through a topic between.
 */
public class Peer {
  private static final long FUTURE_MS = 60_000L;
  private static final long OLD_MS = 7L * 24 * 3_600_000;
  private static final long WINDOW_MS = 10_000L;
  private static final long LATE_AFTER_MS = WINDOW_MS + 5_000L + 5_000L;
  private static final Set<String> TYPES = Set.of("impression", "view", "click");

  /** A message with its outcome: what the windows need, or what the dead letter does. */
  private record Judged(String outcome, String product, boolean click, String place, byte[] value) {
    boolean counted() {
      return outcome == null;
    }
  }

  private record Counts(long impressions, long clicks) {
    static final Serde<Counts> SERDE =
        Serdes.serdeFrom(
            (topic, counts) ->
                counts == null
                    ? null
                    : ByteBuffer.allocate(16)
                        .putLong(counts.impressions)
                        .putLong(counts.clicks)
                        .array(),
            (topic, bytes) -> {
              if (bytes == null) {
                return null;
              }
              ByteBuffer buffer = ByteBuffer.wrap(bytes);
              return new Counts(buffer.getLong(), buffer.getLong());
            });

    Counts plus(boolean click) {
      return click ? new Counts(impressions, clicks + 1) : new Counts(impressions + 1, clicks);
    }
  }

  public static void main(String[] arguments) {
    String kafka = System.getenv("PEER_KAFKA");
    String windows = System.getenv("PEER_WINDOWS");
    String letters = System.getenv("PEER_LETTERS");

    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, windows);
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, kafka);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, System.getenv("PEER_STATE"));
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, arguments[0]);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 300);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    settings.put(
        StreamsConfig.consumerPrefix(ConsumerConfig.ISOLATION_LEVEL_CONFIG), "read_committed");
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");

    StreamsBuilder builder = new StreamsBuilder();
    builder.addStateStore(
        Stores.keyValueStoreBuilder(
                Stores.inMemoryKeyValueStore("clocks"), Serdes.String(), Serdes.Long())
            .withCachingEnabled());
    KStream<String, Judged> judged =
        builder.stream(
                List.of("impressions", "clicks"),
                Consumed.with(Serdes.String(), Serdes.ByteArray()))
            .processValues(Judge::new, "clocks");
    judged
        .split()
        .branch(
            (key, one) -> one.counted(),
            Branched.withConsumer(
                counted ->
                    counted
                        .groupByKey(Grouped.keySerde(Serdes.String()))
                        // What is late has been sorted out: the grace is for two topics apart.
                        .windowedBy(
                            TimeWindows.ofSizeAndGrace(
                                Duration.ofMillis(WINDOW_MS), Duration.ofHours(1)))
                        .aggregate(
                            () -> new Counts(0, 0),
                            (key, one, counts) -> counts.plus(one.click),
                            Materialized.with(Serdes.String(), Counts.SERDE))
                        .toStream()
                        .map(
                            (window, counts) ->
                                row(window.key(), window.window().start(), counts))
                        .to(windows, Produced.with(Serdes.String(), Serdes.String()))))
        .defaultBranch(
            Branched.withConsumer(
                rest ->
                    rest.map((key, one) -> KeyValue.pair(one.place, one.value))
                        .to(letters, Produced.with(Serdes.String(), Serdes.ByteArray()))));

    KafkaStreams streams = new KafkaStreams(builder.build(), settings);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(5))));
    streams.start();
  }

  private static KeyValue<String, String> row(String product, long start, Counts counts) {
    String which =
        "\"product_id\":\""
            + new String(JsonStringEncoder.getInstance().quoteAsString(product))
            + "\",\"window_start\":"
            + start;
    return KeyValue.pair(
        "{" + which + "}",
        "{"
            + which
            + ",\"impressions\":"
            + counts.impressions
            + ",\"clicks\":"
            + counts.clicks
            + "}");
  }

  /** All rules of the contract, in their order. */
  private static class Judge implements FixedKeyProcessor<String, byte[], Judged> {
    private static final JsonFactory JSON =
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(1_000)
                    .maxNumberLength(1_000)
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNameLength(Integer.MAX_VALUE)
                    .build())
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.FAIL_ON_SYMBOL_HASH_OVERFLOW)
            .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
            .build();

    private FixedKeyProcessorContext<String, Judged> context;
    private KeyValueStore<String, Long> clocks;

    @Override
    public void init(FixedKeyProcessorContext<String, Judged> given) {
      context = given;
      clocks = given.getStateStore("clocks");
    }

    @Override
    public void process(FixedKeyRecord<String, byte[]> record) {
      RecordMetadata from = context.recordMetadata().orElseThrow();
      byte[] value = record.value();
      long appended = record.timestamp();
      String[] fields = new String[4];
      String reason = reject(value, appended, fields);
      if (reason == null) {
        long timestamp = Long.parseLong(fields[3]);
        String partition = from.topic() + "-" + from.partition();
        long seen = Math.min(timestamp, appended);
        Long before = clocks.get(partition);
        long clock = before == null ? seen : Math.max(before, seen);
        if (before == null || clock > before) {
          clocks.put(partition, clock);
        }
        long start = timestamp - Math.floorMod(timestamp, WINDOW_MS);
        if (start + LATE_AFTER_MS > Math.min(clock, appended)) {
          Judged counted = new Judged(null, fields[1], fields[2].equals("click"), null, null);
          context.forward(record.withValue(counted).withTimestamp(timestamp));
          return;
        }
        reason = "late";
      }
      RecordHeaders headers = new RecordHeaders();
      headers.add("topic", utf8(from.topic()));
      headers.add("partition", utf8(Integer.toString(from.partition())));
      headers.add("offset", utf8(Long.toString(from.offset())));
      headers.add("reason", utf8(reason));
      String place = from.topic() + "-" + from.partition() + "-" + from.offset();
      context.forward(
          record.withValue(new Judged(reason, null, false, place, value)).withHeaders(headers));
    }

    private static byte[] utf8(String text) {
      return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Rules 1 to 5: why the message is rejected, or null and its four fields. */
    private static String reject(byte[] value, long appended, String[] fields) {
      if (value == null || !isStrictUtf8(value)) {
        return "malformed";
      }
      try (JsonParser parser = JSON.createParser(value)) {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
          return "malformed";
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String name = parser.currentName();
          parser.nextToken();
          String text = textOfValue(parser);
          switch (name) {
            case "userId" -> fields[0] = text;
            case "productId" -> fields[1] = text;
            case "eventType" -> fields[2] = text;
            case "timestamp" -> fields[3] = text;
            default -> {}
          }
        }
        if (parser.currentToken() != JsonToken.END_OBJECT || parser.nextToken() != null) {
          return "malformed";
        }
      } catch (IOException notJson) {
        return "malformed";
      }
      long timestamp = 0;
      if (!isBlank(fields[3])) {
        try {
          timestamp = Long.parseLong(fields[3]);
        } catch (NumberFormatException notAnInteger) {
          return "malformed";
        }
        if (!Long.toString(timestamp).equals(fields[3])) {
          return "malformed";
        }
      }
      boolean missing = false;
      for (String field : fields) {
        if (hasUnpairedSurrogate(field)) {
          return "malformed";
        }
        missing |= isBlank(field);
      }
      if (missing) {
        return "missing_field";
      }
      if (!TYPES.contains(fields[2])) {
        return "unknown_type";
      }
      if (timestamp > appended + FUTURE_MS) {
        return "future_timestamp";
      }
      return timestamp < appended - OLD_MS ? "old_timestamp" : null;
    }

    /** To the end of a value; its text if it is a scalar that says something. */
    private static String textOfValue(JsonParser parser) throws IOException {
      JsonToken first = parser.currentToken();
      int open = 0;
      for (JsonToken token = first; ; token = parser.nextToken()) {
        if (token == null) {
          throw new IOException("the value does not end");
        }
        if (token.isStructStart()) {
          open++;
        } else if (token.isStructEnd()) {
          open--;
        } else if (token.isNumeric() && parser.getTextLength() > 1_000) {
          throw new IOException("a number too long");
        }
        if (open == 0) {
          boolean says = first.isScalarValue() && first != JsonToken.VALUE_NULL;
          return says ? parser.getText() : null;
        }
      }
    }

    private static boolean isBlank(String text) {
      if (text != null) {
        for (int i = 0; i < text.length(); i++) {
          if (text.charAt(i) != ' ') {
            return false;
          }
        }
      }
      return true;
    }

    private static boolean hasUnpairedSurrogate(String text) {
      if (text != null) {
        for (int i = 0; i < text.length(); i++) {
          char c = text.charAt(i);
          if (Character.isHighSurrogate(c)
              && i + 1 < text.length()
              && Character.isLowSurrogate(text.charAt(i + 1))) {
            i++;
          } else if (Character.isSurrogate(c)) {
            return true;
          }
        }
      }
      return false;
    }

    private static boolean isStrictUtf8(byte[] value) {
      for (int i = 0; i < 4 && i < value.length; i++) {
        if (value[i] == 0) {
          return false;
        }
      }
      if (value.length > 0 && (value[0] & 0xFF) >= 0xEF) {
        return false;
      }
      for (byte one : value) {
        if (one < 0) {
          try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value));
            return true;
          } catch (CharacterCodingException notUtf8) {
            return false;
          }
        }
      }
      return true;
    }
  }
}
