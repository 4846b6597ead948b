package org.example.interop;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.apache.rocketmq.common.message.Message;

/**
 * Messages that any language can compute again: message i of a seed has one body, tag, set of keys and properties.
 *
 * <p>The rules stand in corpus.py, beside the harness; both files must agree.
 */
final class Corpus {
    private static final String[] TAGS = {"TagA", "TagB", "TagC"};
    private static final int SHARDS = 8;
    private final String topic;
    private final String seed;

    Corpus(String topic, String seed) {
        this.topic = topic;
        this.seed = seed;
    }

    /** Message i. */
    Message message(int i) {
        Message message = new Message(topic, body(i));
        if (i % 10 != 9) {
            message.setTags(TAGS[i % TAGS.length]);
        }
        message.setKeys(i % 5 == 0 ? key(i) + " even-" + i : key(i));
        message.putUserProperty("i", Integer.toString(i));
        message.putUserProperty("seed", seed);
        message.putUserProperty("shard", Integer.toString(shard(i)));
        if (i % 4 == 0) {
            message.putUserProperty("text", "Gr\u00f6\u00dfe \u6d88\u606f " + i);
        }
        return message;
    }

    /** What orders message i: messages of one shard keep their order. */
    static int shard(int i) {
        return i % SHARDS;
    }

    /** The lower-case hexadecimal SHA-256 of bytes. */
    static String digest(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte one : sha256(bytes)) {
            text.append(String.format("%02x", one));
        }
        return text.toString();
    }

    private String key(int i) {
        return "key-" + seed + "-" + i;
    }

    private byte[] body(int i) {
        byte[] block = sha256((seed + ":" + i).getBytes(StandardCharsets.UTF_8));
        byte[] body = new byte[size(i, block)];
        for (int at = 0; at < body.length; at += block.length) {
            System.arraycopy(block, 0, body, at, Math.min(block.length, body.length - at));
            if (i % 2 == 1) {
                block = sha256(block);
            }
        }
        return body;
    }

    private static int size(int i, byte[] hash) {
        int random = (hash[0] & 0xff) << 16 | (hash[1] & 0xff) << 8 | hash[2] & 0xff;
        if (i % 997 == 13) {
            return 100_000 + random % 200_000;
        }
        if (i % 50 == 7) {
            return 2_000 + random % 18_000;
        }
        return 1 + random % 600;
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
