package org.example.interop;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Sends the corpus: "--plan sync:2000,async:4000,oneway:1000,batch:2000,ordered:1000" sends 10,000 messages, numbered on.
 *
 * <p>Further modes: "delayed" (level 1), "later" (level 3), "timed" (by the timer of 5.x, after "--delay" seconds, in each of three ways), "recalled" (the same, and recalled at once), "priority" (of 5.5), "commit", "rollback" and "check" (transactions; the last is committed when the broker asks).
 * Options: namesrv, topic, group, seed, plan, from (first number), delay (seconds), linger (seconds before it ends). One line a message or batch; exit status 1 when one failed.
 */
public final class SendMessages {
    private static final int BATCH = 20;
    private static final int BATCH_BYTES = 1_000_000;
    private static final int IN_FLIGHT = 200;
    private final TransactionMQProducer producer;
    private final Corpus corpus;
    private final int delay;
    private volatile int failures;

    private SendMessages(TransactionMQProducer producer, Corpus corpus, int delay) {
        this.producer = producer;
        this.corpus = corpus;
        this.delay = delay;
    }

    /** Runs the plan. */
    public static void main(String[] words) throws Exception {
        Failures.endTheProgram();
        Arguments arguments = new Arguments(words);
        TransactionMQProducer producer = new TransactionMQProducer(arguments.text("group", "interop_producer"), arguments.credentials());
        arguments.connect(producer);
        producer.setSendMsgTimeout(10_000);
        producer.setTransactionListener(new Verdicts());
        producer.start();
        SendMessages program = new SendMessages(producer, new Corpus(arguments.text("topic"), arguments.text("seed", "s")), arguments.number("delay", 30));
        new Json().with("event", "started").print();
        int first = arguments.number("from", 0);
        for (String part : arguments.text("plan").split(",")) {
            String[] modeAndCount = part.split(":");
            int count = Integer.parseInt(modeAndCount[1]);
            program.send(modeAndCount[0], first, count);
            first += count;
        }
        Thread.sleep(1000L * arguments.number("linger", 0));
        producer.shutdown();
        new Json().with("event", "done").with("failures", program.failures).print();
        System.exit(program.failures == 0 ? 0 : 1);
    }

    private void send(String mode, int first, int count) throws Exception {
        switch (mode) {
            case "sync":
                for (int i = first; i < first + count; i++) {
                    report(mode, i, 1, producer.send(corpus.message(i)));
                }
                break;
            case "async":
                sendAsync(first, count);
                break;
            case "oneway":
                for (int i = first; i < first + count; i++) {
                    producer.sendOneway(corpus.message(i));
                    report(mode, i, 1, null);
                }
                break;
            case "batch":
                sendBatches(first, count);
                break;
            case "ordered":
                for (int i = first; i < first + count; i++) {
                    report(mode, i, 1, producer.send(corpus.message(i),
                        (queues, message, shard) -> queues.get((Integer) shard % queues.size()), Corpus.shard(i)));
                }
                break;
            case "delayed":
            case "later":
                for (int i = first; i < first + count; i++) {
                    Message message = corpus.message(i);
                    message.setDelayTimeLevel(mode.equals("later") ? 3 : 1);
                    report(mode, i, 1, producer.send(message));
                }
                break;
            case "priority":
                for (int i = first; i < first + count; i++) {
                    report(mode, i, 1, producer.send(urgent(i)));
                }
                break;
            case "timed":
            case "recalled":
                for (int i = first; i < first + count; i++) {
                    SendResult result = producer.send(timed(i));
                    if (mode.equals("recalled")) {
                        recall(result);
                    }
                    report(mode, i, 1, result);
                }
                break;
            case "commit":
            case "rollback":
            case "check":
                for (int i = first; i < first + count; i++) {
                    report(mode, i, 1, producer.sendMessageInTransaction(corpus.message(i), mode));
                }
                break;
            default:
                throw new IllegalArgumentException(mode);
        }
    }

    /** Uses names of properties and reflection, because clients of 4.9 lack the methods. */
    private Message timed(int i) {
        Message message = corpus.message(i);
        if (i % 3 == 0) {
            MessageAccessor.putProperty(message, "TIMER_DELAY_SEC", String.valueOf(delay));
        } else if (i % 3 == 1) {
            MessageAccessor.putProperty(message, "TIMER_DELAY_MS", String.valueOf(1000L * delay));
        } else {
            MessageAccessor.putProperty(message, "TIMER_DELIVER_MS", String.valueOf(System.currentTimeMillis() + 1000L * delay));
        }
        return message;
    }

    /** The number says the priority: 0 to 4 in turns. The method is that of 5.5. */
    private Message urgent(int i) throws Exception {
        Message message = corpus.message(i);
        Message.class.getMethod("setPriority", int.class).invoke(message, i % 5);
        return message;
    }

    private void recall(SendResult result) throws Exception {
        Object handle = SendResult.class.getMethod("getRecallHandle").invoke(result);
        producer.getClass().getMethod("recallMessage", String.class, String.class).invoke(producer, result.getMessageQueue().getTopic(), handle);
    }

    private void sendAsync(int first, int count) throws Exception {
        CountDownLatch answers = new CountDownLatch(count);
        Semaphore free = new Semaphore(IN_FLIGHT);
        for (int i = first; i < first + count; i++) {
            final int number = i;
            free.acquire();
            producer.send(corpus.message(i), new SendCallback() {
                @Override
                public void onSuccess(SendResult result) {
                    report("async", number, 1, result);
                    free.release();
                    answers.countDown();
                }

                @Override
                public void onException(Throwable error) {
                    failures++;
                    new Json().with("event", "failed").with("i", number).with("error", error.toString()).print();
                    free.release();
                    answers.countDown();
                }
            });
        }
        answers.await();
    }

    private void sendBatches(int first, int count) throws Exception {
        int i = first;
        while (i < first + count) {
            List<Message> batch = new ArrayList<>();
            int size = 0;
            int start = i;
            while (i < first + count && batch.size() < BATCH) {
                Message message = corpus.message(i);
                size += message.getBody().length;
                if (!batch.isEmpty() && size > BATCH_BYTES) {
                    break;
                }
                batch.add(message);
                i++;
            }
            report("batch", start, batch.size(), producer.send(batch));
        }
    }

    private static void report(String mode, int first, int count, SendResult result) {
        Json line = new Json().with("event", "sent").with("mode", mode).with("i", first).with("count", count);
        if (result != null) {
            line.with("status", result.getSendStatus().name())
                .with("msgId", result.getMsgId())
                .with("offsetMsgId", result.getOffsetMsgId())
                .with("broker", result.getMessageQueue().getBrokerName())
                .with("queueId", result.getMessageQueue().getQueueId())
                .with("queueOffset", result.getQueueOffset());
        }
        line.print();
    }

    /** Decides a local transaction by the mode of its send. */
    private static final class Verdicts implements TransactionListener {
        @Override
        public LocalTransactionState executeLocalTransaction(Message message, Object mode) {
            switch ((String) mode) {
                case "commit":
                    return LocalTransactionState.COMMIT_MESSAGE;
                case "rollback":
                    return LocalTransactionState.ROLLBACK_MESSAGE;
                default:
                    return LocalTransactionState.UNKNOW;
            }
        }

        @Override
        public LocalTransactionState checkLocalTransaction(MessageExt message) {
            new Json().with("event", "checked").with("i", Integer.parseInt(message.getUserProperty("i"))).print();
            return LocalTransactionState.COMMIT_MESSAGE;
        }
    }
}
