package org.example.interop;

import com.alibaba.fastjson.JSON;
import java.util.LinkedHashMap;
import java.util.Map;

/** One JSON object, printed as one line on standard output. */
final class Json {
    private final Map<String, Object> fields = new LinkedHashMap<>();

    /** Adds a field and returns this object. */
    Json with(String name, Object value) {
        fields.put(name, value);
        return this;
    }

    /** Prints the object; lines of several threads never mix. */
    void print() {
        String line = JSON.toJSONString(fields);
        synchronized (System.out) {
            System.out.println(line);
            System.out.flush();
        }
    }
}
