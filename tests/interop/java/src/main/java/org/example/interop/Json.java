package org.example.interop;

import java.util.LinkedHashMap;
import java.util.Map;

/** One JSON object, printed as one line on standard output; written here, since the releases bring different JSON libraries. */
final class Json {
    private final Map<String, Object> fields = new LinkedHashMap<>();

    /** Adds a field and returns this object; fields without a value are left out. */
    Json with(String name, Object value) {
        fields.put(name, value);
        return this;
    }

    /** Prints the object; lines of several threads never mix. */
    void print() {
        StringBuilder line = new StringBuilder();
        write(line, fields);
        synchronized (System.out) {
            System.out.println(line);
            System.out.flush();
        }
    }

    private static void write(StringBuilder line, Object value) {
        if (value instanceof Map) {
            String before = "{";
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                if (entry.getValue() != null) {
                    line.append(before);
                    quote(line, entry.getKey().toString());
                    line.append(':');
                    write(line, entry.getValue());
                    before = ",";
                }
            }
            line.append(before.equals("{") ? "{}" : "}");
        } else if (value instanceof Iterable) {
            String before = "[";
            for (Object item : (Iterable<?>) value) {
                line.append(before);
                write(line, item);
                before = ",";
            }
            line.append(before.equals("[") ? "[]" : "]");
        } else if (value instanceof Number || value instanceof Boolean) {
            line.append(value);
        } else {
            quote(line, value.toString());
        }
    }

    private static void quote(StringBuilder line, String text) {
        line.append('"');
        for (int i = 0; i < text.length(); i++) {
            char one = text.charAt(i);
            if (one == '"' || one == '\\') {
                line.append('\\').append(one);
            } else if (one < ' ' || one > '~') {
                line.append(String.format("\\u%04x", (int) one));
            } else {
                line.append(one);
            }
        }
        line.append('"');
    }
}
