package org.example.interop;

import org.apache.rocketmq.common.message.MessageExt;

/** A received message as one JSON line: what the harness compares. */
final class MessageLine {
    private MessageLine() {
    }

    /** Prints the line of a message. */
    static void print(MessageExt message, String brokerName) {
        byte[] body = message.getBody() == null ? new byte[0] : message.getBody();
        new Json().with("event", "message")
            .with("topic", message.getTopic())
            .with("broker", brokerName)
            .with("queueId", message.getQueueId())
            .with("queueOffset", message.getQueueOffset())
            .with("commitLogOffset", message.getCommitLogOffset())
            .with("msgId", message.getMsgId())
            .with("tags", message.getTags())
            .with("keys", message.getKeys())
            .with("properties", message.getProperties())
            .with("reconsumeTimes", message.getReconsumeTimes())
            .with("bornHost", String.valueOf(message.getBornHostString()))
            .with("size", body.length)
            .with("digest", Corpus.digest(body))
            .with("time", System.currentTimeMillis())
            .print();
    }
}
