package org.example.interop;

import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Reads every queue of a topic from its first offset to its last, prints each message, and looks one up by key.
 *
 * <p>Options: namesrv, topic, group, expression, and key (optional: print what a query by this key finds).
 */
public final class PullMessages {
    private static final int MAX_MESSAGES = 32;

    private PullMessages() {
    }

    /** Reads the topic once and exits. */
    public static void main(String[] words) throws Exception {
        Failures.endTheProgram();
        Arguments arguments = new Arguments(words);
        String topic = arguments.text("topic");
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(arguments.text("group", "interop_reader"));
        arguments.connect(consumer);
        consumer.start();
        for (MessageQueue queue : consumer.fetchSubscribeMessageQueues(topic)) {
            readQueue(consumer, queue, arguments.text("expression", "*"));
        }
        String key = arguments.text("key", "");
        if (!key.isEmpty()) {
            for (MessageExt message : consumer.queryMessage(topic, key, 64, 0, Long.MAX_VALUE).getMessageList()) {
                new Json().with("event", "found").with("keys", message.getKeys()).with("digest", Corpus.digest(message.getBody())).print();
            }
        }
        consumer.shutdown();
        new Json().with("event", "done").print();
        System.exit(0);
    }

    private static void readQueue(DefaultMQPullConsumer consumer, MessageQueue queue, String expression) throws Exception {
        long least = consumer.minOffset(queue);
        long most = consumer.maxOffset(queue);
        new Json().with("event", "queue").with("broker", queue.getBrokerName()).with("queueId", queue.getQueueId())
            .with("min", least).with("max", most).print();
        long offset = least;
        while (offset < most) {
            PullResult result = consumer.pull(queue, expression, offset, MAX_MESSAGES);
            if (result.getPullStatus() == PullStatus.FOUND) {
                for (MessageExt message : result.getMsgFoundList()) {
                    MessageLine.print(message, queue.getBrokerName());
                }
            } else if (result.getNextBeginOffset() <= offset) {
                new Json().with("event", "stuck").with("status", result.getPullStatus().name()).with("offset", offset).print();
                System.exit(1);
            }
            offset = result.getNextBeginOffset();
        }
    }
}
