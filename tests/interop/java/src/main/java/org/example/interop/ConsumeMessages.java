package org.example.interop;

import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * A push consumer that prints every message, until standard input ends or says "stop".
 *
 * <p>Options: namesrv, topic, group, expression or sql, listener (concurrent or orderly), refuse (each message whose number it divides is
 * sent back once; concurrent only), threads (4), slow (milliseconds that each message takes), retries (then they are sent back so often, until they are dead), model (clustering or broadcasting;
 * this with offsets, a directory, and ip), rebalance (client; or broker, which lets the
 * broker choose between pull and pop: 5.x only). The command "assignment" prints the queues held now.
 */
public final class ConsumeMessages {
    private ConsumeMessages() {
    }

    /** Consumes until told to stop. */
    public static void main(String[] words) throws Exception {
        Failures.endTheProgram();
        Arguments arguments = new Arguments(words);
        System.setProperty("rocketmq.client.localOffsetStoreDir", arguments.text("offsets", "target/offsets"));
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(arguments.text("group"), arguments.credentials(), new AllocateMessageQueueAveragely());
        arguments.connect(consumer);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        if (arguments.text("model", "clustering").equals("broadcasting")) {
            // The type is in one package in 4.9, and in another in 5.x.
            consumer.setMessageModel(Enum.valueOf(consumer.getMessageModel().getDeclaringClass(), "BROADCASTING"));
            consumer.setClientIP(arguments.text("ip"));
        }
        boolean popping = arguments.text("rebalance", "client").equals("broker");
        if (popping) {
            // There is no such method in 4.9.
            consumer.getClass().getMethod("setClientRebalance", boolean.class).invoke(consumer, false);
        }
        consumer.setConsumeThreadMin(arguments.number("threads", 4));
        consumer.setConsumeThreadMax(arguments.number("threads", 4));
        if (arguments.text("sql", "").isEmpty()) {
            consumer.subscribe(arguments.text("topic"), arguments.text("expression", "*"));
        } else {
            consumer.subscribe(arguments.text("topic"), MessageSelector.bySql(arguments.text("sql")));
        }
        int slow = arguments.number("slow", 0);
        if (arguments.text("listener", "concurrent").equals("orderly")) {
            consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
                pause(slow);
                print(messages, context.getMessageQueue());
                return ConsumeOrderlyStatus.SUCCESS;
            });
        } else {
            int refuse = arguments.number("refuse", 0);
            boolean always = arguments.number("retries", 0) > 0;
            if (always) {
                consumer.setMaxReconsumeTimes(arguments.number("retries", 0));
            }
            if (refuse > 0) {
                // Else it takes up to 50 s until the new retry topic is consumed.
                consumer.setPollNameServerInterval(500);
                System.setProperty("rocketmq.client.rebalance.waitInterval", "1000");
            }
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                MessageExt first = messages.get(0);
                if (refuse > 0 && (always || first.getReconsumeTimes() == 0) && Integer.parseInt(first.getUserProperty("i")) % refuse == 0) {
                    new Json().with("event", "refused").with("i", Integer.parseInt(first.getUserProperty("i"))).print();
                    // Level 0 of pop is 10 s, level 1 is 30 s.
                    context.setDelayLevelWhenNextConsume(popping ? 0 : 1);
                    return ConsumeConcurrentlyStatus.RECONSUME_LATER;
                }
                pause(slow);
                print(messages, context.getMessageQueue());
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
        }
        consumer.start();
        new Json().with("event", "started").print();
        Commands.follow(command -> printAssignment(consumer));
        consumer.shutdown();
        new Json().with("event", "done").print();
        System.exit(0);
    }

    private static void pause(int milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void print(List<MessageExt> messages, MessageQueue queue) {
        for (MessageExt message : messages) {
            MessageLine.print(message, queue.getBrokerName());
        }
    }

    private static void printAssignment(DefaultMQPushConsumer consumer) {
        List<Object> queues = new ArrayList<>();
        for (MessageQueue queue : consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().keySet()) {
            queues.add(List.of(queue.getTopic(), queue.getBrokerName(), queue.getQueueId()));
        }
        new Json().with("event", "assignment").with("queues", queues).print();
    }
}
