package org.example.interop;

import java.util.HashMap;
import java.util.Map;
import org.apache.rocketmq.acl.common.AclClientRPCHook;
import org.apache.rocketmq.acl.common.SessionCredentials;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.remoting.RPCHook;

/** The command line of a program: pairs of "--name value". */
final class Arguments {
    private static final int HEARTBEAT_MILLIS = 3_000;
    private static final int PATIENCE_MILLIS = 30_000;
    private final Map<String, String> values = new HashMap<>();

    Arguments(String[] words) {
        for (int i = 0; i + 1 < words.length; i += 2) {
            if (!words[i].startsWith("--")) {
                throw new IllegalArgumentException("expected --name, got " + words[i]);
            }
            values.put(words[i].substring(2), words[i + 1]);
        }
    }

    /** The value of a required option. */
    String text(String name) {
        String value = values.get(name);
        if (value == null) {
            throw new IllegalArgumentException("--" + name + " is required");
        }
        return value;
    }

    /** The value of an option, or the fallback. */
    String text(String name, String fallback) {
        return values.getOrDefault(name, fallback);
    }

    /** What signs requests with the options "user" and "password"; null without them. */
    RPCHook credentials() {
        String user = values.get("user");
        return user == null ? null : new AclClientRPCHook(new SessionCredentials(user, text("password")));
    }

    /**
     * Gives a client its name servers, a heartbeat each three seconds, and patience.
     *
     * <p>A heartbeat that would register a changed subscription is left out where another one is being sent; pulls are refused
     * until the next, and that would come after 30 seconds. A busy machine may take more than the usual three to say where a topic is.
     */
    void connect(ClientConfig client) {
        client.setNamesrvAddr(text("namesrv"));
        client.setHeartbeatBrokerInterval(HEARTBEAT_MILLIS);
        client.setMqClientApiTimeout(PATIENCE_MILLIS);
    }

    /** The number given with an option, or the fallback. */
    int number(String name, int fallback) {
        String value = values.get(name);
        return value == null ? fallback : Integer.parseInt(value);
    }
}
