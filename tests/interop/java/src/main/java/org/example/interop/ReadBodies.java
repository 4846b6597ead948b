package org.example.interop;

import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.remoting.protocol.RemotingSerializable;

/** Reads bodies with the release's own classes and prints what it writes of them; each line of standard input is a class's name and a text. */
public final class ReadBodies {
    private static final String[] PACKAGES = {
        "remoting.protocol.body", "remoting.protocol.admin", "remoting.protocol.heartbeat", "remoting.protocol.route", "broker.schedule",
        "common.protocol.body", "common.admin", "common.protocol.heartbeat", "common.protocol.route", "store.schedule",
    };

    private ReadBodies() {
    }

    /** Follows the lines until the end of input. */
    public static void main(String[] words) throws Exception {
        Failures.endTheProgram();
        new Json().with("event", "started").print();
        Commands.follow(line -> {
            String[] nameAndText = line.split(" ", 2);
            Json printed = new Json().with("event", "body").with("name", nameAndText[0]);
            try {
                Object body = RemotingSerializable.decode(nameAndText[1].getBytes(StandardCharsets.UTF_8), find(nameAndText[0]));
                printed.with("text", RemotingSerializable.toJson(body, false)).print();
            } catch (RuntimeException error) {
                printed.with("error", error.toString()).print();
            }
        });
        new Json().with("event", "done").print();
        System.exit(0);
    }

    private static Class<?> find(String name) {
        for (String part : PACKAGES) {
            try {
                return Class.forName("org.apache.rocketmq." + part + "." + name);
            } catch (ClassNotFoundException next) {
                continue;
            }
        }
        throw new IllegalArgumentException(name);
    }
}
