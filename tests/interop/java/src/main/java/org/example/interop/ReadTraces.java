package org.example.interop;

import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.client.AccessChannel;
import org.apache.rocketmq.client.trace.TraceContext;
import org.apache.rocketmq.client.trace.TraceDataEncoder;

/** Reads the records of traces with the release's own class and prints what it writes of them; each line of standard input is records in hexadecimal. */
public final class ReadTraces {
    private ReadTraces() {
    }

    /** Follows the lines until the end of input. */
    public static void main(String[] words) throws Exception {
        Failures.endTheProgram();
        new Json().with("event", "started").print();
        Commands.follow(line -> {
            StringBuilder written = new StringBuilder();
            try {
                byte[] body = new byte[line.length() / 2];
                for (int i = 0; i < body.length; i++) {
                    body[i] = (byte) Integer.parseInt(line.substring(2 * i, 2 * i + 2), 16);
                }
                for (TraceContext context : TraceDataEncoder.decoderFromTraceDataString(new String(body, StandardCharsets.UTF_8))) {
                    context.setAccessChannel(AccessChannel.LOCAL);
                    for (byte each : TraceDataEncoder.encoderFromContextBean(context).getTransData().getBytes(StandardCharsets.UTF_8)) {
                        written.append(String.format("%02x", each & 0xff));
                    }
                }
            } catch (RuntimeException error) {
                written.append(error);
            }
            new Json().with("event", "written").with("text", written.toString()).print();
        });
        new Json().with("event", "done").print();
        System.exit(0);
    }
}
