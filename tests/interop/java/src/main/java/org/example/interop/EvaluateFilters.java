package org.example.interop;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.filter.FilterFactory;
import org.apache.rocketmq.filter.expression.EvaluationContext;
import org.apache.rocketmq.filter.expression.Expression;

/**
 * Compiles SQL92 expressions with the release's own classes and evaluates them; a line of standard input is an expression and the properties of any
 * number of messages, all in Base64 with blanks between them. A property is name, 0x01, value, 0x02.
 */
public final class EvaluateFilters {
    private EvaluateFilters() {
    }

    /** Follows the lines until the end of input. */
    public static void main(String[] words) throws Exception {
        Failures.endTheProgram();
        new Json().with("event", "started").print();
        Commands.follow(line -> {
            String[] parts = line.split(" ");
            String text = decode(parts[0]);
            Json printed = new Json().with("event", "filter").with("text", text);
            try {
                Expression compiled = FilterFactory.INSTANCE.get("SQL92").compile(text);
                List<String> results = new ArrayList<>();
                for (int i = 1; i < parts.length; i++) {
                    results.add(evaluate(compiled, properties(decode(parts[i]))));
                }
                printed.with("results", results).print();
            } catch (Throwable error) {
                printed.with("error", error.toString()).print();
            }
        });
        new Json().with("event", "done").print();
        System.exit(0);
    }

    private static String evaluate(Expression compiled, Map<String, String> properties) {
        try {
            return String.valueOf(compiled.evaluate(new Properties(properties)));
        } catch (Exception error) {
            return "error";
        }
    }

    private static String decode(String text) {
        return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
    }

    private static Map<String, String> properties(String text) {
        Map<String, String> found = new HashMap<>();
        for (String pair : text.split("\u0002")) {
            String[] nameAndValue = pair.split("\u0001", 2);
            if (nameAndValue.length == 2) {
                found.put(nameAndValue[0], nameAndValue[1]);
            }
        }
        return found;
    }

    /** The properties of one message, as expressions see them. */
    private static final class Properties implements EvaluationContext {
        private final Map<String, String> properties;

        Properties(Map<String, String> properties) {
            this.properties = properties;
        }

        @Override
        public Object get(String name) {
            return properties.get(name);
        }

        @Override
        public Map<String, Object> keyValues() {
            return new HashMap<>(properties);
        }
    }
}
