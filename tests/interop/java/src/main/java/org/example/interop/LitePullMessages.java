package org.example.interop;

import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * A lite pull consumer that prints every message it polls, until standard input ends or says "stop".
 *
 * <p>Options: namesrv, topic, group; trace (1: write traces of what polls return).
 */
public final class LitePullMessages {
    private static final long POLL_MILLIS = 200;
    private static volatile boolean stopping;

    private LitePullMessages() {
    }

    /** Polls until told to stop. */
    public static void main(String[] words) throws Exception {
        Failures.endTheProgram();
        Arguments arguments = new Arguments(words);
        DefaultLitePullConsumer consumer = new DefaultLitePullConsumer(arguments.text("group"));
        arguments.connect(consumer);
        consumer.setEnableMsgTrace(arguments.number("trace", 0) == 1);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(arguments.text("topic"), "*");
        consumer.start();
        new Json().with("event", "started").print();
        Thread polls = new Thread(() -> {
            while (!stopping) {
                for (MessageExt message : consumer.poll(POLL_MILLIS)) {
                    MessageLine.print(message, message.getBrokerName());
                }
            }
        });
        polls.start();
        Commands.follow(command -> { });
        stopping = true;
        polls.join();
        consumer.commitSync();
        consumer.shutdown();
        new Json().with("event", "done").print();
        System.exit(0);
    }
}
