package org.example.interop;

import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Replies to the requests of one topic, and sends one to another topic for each line of standard input: its body.
 *
 * <p>Options: namesrv, topic (whose requests it replies to), group.
 */
public final class AskAndReply {
    private static final long TIMEOUT_MILLIS = 30_000;

    private AskAndReply() {
    }

    /** Replies until told to stop; a line is the topic and the body of a request. */
    public static void main(String[] words) throws Exception {
        Failures.endTheProgram();
        Arguments arguments = new Arguments(words);
        DefaultMQProducer producer = new DefaultMQProducer(arguments.text("group") + "_asks");
        arguments.connect(producer);
        producer.setCompressMsgBodyOverHowmuch(1000);
        producer.start();
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(arguments.text("group"));
        arguments.connect(consumer);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(arguments.text("topic"), "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                try {
                    byte[] body = ("java " + new String(message.getBody(), StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
                    new Json().with("event", "replied").with("status", producer.send(MessageUtil.createReplyMessage(message, body)).getSendStatus().name()).print();
                } catch (Exception error) {
                    new Json().with("event", "failed").with("error", error.toString()).print();
                }
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        new Json().with("event", "started").print();
        Commands.follow(line -> ask(producer, line));
        consumer.shutdown();
        producer.shutdown();
        new Json().with("event", "done").print();
        System.exit(0);
    }

    private static void ask(DefaultMQProducer producer, String line) {
        String[] parts = line.split(" ", 2);
        try {
            Message reply = producer.request(new Message(parts[0], parts[1].getBytes(StandardCharsets.UTF_8)), TIMEOUT_MILLIS);
            new Json().with("event", "reply").with("body", new String(reply.getBody(), StandardCharsets.UTF_8)).print();
        } catch (Exception error) {
            new Json().with("event", "reply").with("body", error.toString()).print();
        }
    }
}
