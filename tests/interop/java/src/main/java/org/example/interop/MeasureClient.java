package org.example.interop;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * One measurement of the client, the counterpart of tests/bench/client_program.py; prints one JSON line.
 *
 * <p>Options: shape (send, push, end-to-end, first, request, answer), namesrv, topic, depth (sends in flight), size (bytes of a body), count
 * (messages of the topic, or new topics), seconds, warm (seconds before, not counted).
 */
public final class MeasureClient {
    /** Messages a second of the shape "end-to-end". */
    private static final int PACE = 1000;
    /** Threads that reply, and how long a request waits for that. */
    private static final int ANSWERING = 64;
    private static final long REPLY_MILLIS = 30_000;
    private static final OperatingSystemMXBean SYSTEM = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private final Arguments arguments;
    private final String topic;
    private final int size;
    private final double seconds;
    private final double warm;
    private final List<Long> latencies = Collections.synchronizedList(new ArrayList<>());
    private volatile long start;
    private volatile long cpu;

    private MeasureClient(Arguments arguments) {
        this.arguments = arguments;
        this.topic = arguments.text("topic");
        this.size = arguments.number("size", 1024);
        this.seconds = Double.parseDouble(arguments.text("seconds", "5"));
        this.warm = Double.parseDouble(arguments.text("warm", "1"));
    }

    /** Measures what the command line says. */
    public static void main(String[] words) throws Exception {
        Failures.endTheProgram();
        MeasureClient program = new MeasureClient(new Arguments(words));
        String shape = program.arguments.text("shape");
        switch (shape) {
            case "send":
                program.send();
                break;
            case "push":
                program.push();
                break;
            case "end-to-end":
                program.endToEnd();
                break;
            case "first":
                program.first();
                break;
            case "request":
                program.request();
                break;
            case "answer":
                program.answer();
                break;
            default:
                throw new IllegalArgumentException(shape);
        }
        System.exit(0);
    }

    private DefaultMQProducer producer(String group) {
        DefaultMQProducer producer = new DefaultMQProducer(group);
        arguments.connect(producer);
        return producer;
    }

    private void begin() {
        latencies.clear();
        cpu = SYSTEM.getProcessCpuTime();
        start = System.nanoTime();
    }

    private void end(int count) {
        double elapsed = (System.nanoTime() - start) / 1e9;
        double used = (SYSTEM.getProcessCpuTime() - cpu) / 1e9;
        // Messages may still come; toArray() is one step, a stream is not.
        long[] found = Arrays.stream(latencies.toArray(new Long[0])).mapToLong(Long::longValue).toArray();
        Arrays.sort(found);
        new Json().with("event", "measured")
            .with("count", count)
            .with("seconds", elapsed)
            .with("cpu", used)
            .with("p50", found.length == 0 ? 0 : found[found.length / 2] / 1000.0)
            .with("p99", found.length == 0 ? 0 : found[(int) (found.length * 99L / 100)] / 1000.0)
            .print();
    }

    private void send() throws Exception {
        DefaultMQProducer producer = producer("bench_producer");
        producer.start();
        producer.send(new Message(topic, new byte[size]));
        int depth = arguments.number("depth", 1);
        sendFor(producer, depth, warm);
        begin();
        sendFor(producer, depth, seconds);
        end(latencies.size());
    }

    private void sendFor(DefaultMQProducer producer, int depth, double time) throws Exception {
        long until = System.nanoTime() + (long) (time * 1e9);
        byte[] body = new byte[size];
        Arrays.fill(body, (byte) 'x');
        Semaphore free = new Semaphore(depth);
        long begun = System.nanoTime();
        while (begun < until) {
            if (depth == 1) {
                expectOk(producer.send(new Message(topic, body)));
                long now = System.nanoTime();
                latencies.add(now - begun);
                begun = now;
            } else {
                free.acquire();
                begun = System.nanoTime();
                producer.send(new Message(topic, body), counted(begun, free));
            }
        }
        free.acquire(depth);
    }

    private SendCallback counted(long begun, Semaphore free) {
        return new SendCallback() {
            @Override
            public void onSuccess(SendResult result) {
                latencies.add(System.nanoTime() - begun);
                free.release();
            }

            @Override
            public void onException(Throwable error) {
                error.printStackTrace();
                Runtime.getRuntime().halt(1);
            }
        };
    }

    private static void expectOk(SendResult result) {
        if (result.getSendStatus() != SendStatus.SEND_OK) {
            throw new IllegalStateException(result.toString());
        }
    }

    private void push() throws Exception {
        int count = arguments.number("count", 0);
        long warmUntil = System.nanoTime() + (long) (warm * 1e9);
        for (int number = 1;; number++) {
            boolean isLast = System.nanoTime() >= warmUntil;
            consumeAll("bench_java_" + topic + "_" + number, count, isLast);
            if (isLast) {
                return;
            }
        }
    }

    /** Consumes the topic; begins to count with the first message. */
    private void consumeAll(String group, int count, boolean isMeasured) throws Exception {
        AtomicInteger seen = new AtomicInteger();
        CountDownLatch allCame = new CountDownLatch(1);
        DefaultMQPushConsumer consumer = consumer(group, (messages, context) -> {
            int before = seen.getAndAdd(messages.size());
            if (before == 0) {
                begin();
            }
            if (before + messages.size() == count) {
                if (isMeasured) {
                    end(count);
                }
                allCame.countDown();
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.start();
        allCame.await();
        consumer.shutdown();
    }

    private DefaultMQPushConsumer consumer(String group, MessageListenerConcurrently listener) throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group);
        arguments.connect(consumer);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener(listener);
        return consumer;
    }

    private void endToEnd() throws Exception {
        DefaultMQProducer producer = producer("bench_producer");
        producer.start();
        producer.send(stamped());
        DefaultMQPushConsumer consumer = consumer("bench_java_" + topic, (messages, context) -> {
            long now = System.nanoTime();
            messages.forEach(message -> latencies.add(now - Long.parseLong(new String(message.getBody(), 0, 20, StandardCharsets.US_ASCII))));
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        while (latencies.isEmpty()) {
            producer.send(stamped());
            Thread.sleep(100);
        }
        sendAtPace(producer, warm);
        begin();
        sendAtPace(producer, seconds);
        end(latencies.size());
    }

    /** The time of the send, and bytes up to the size. */
    private Message stamped() {
        byte[] body = new byte[Math.max(size, 20)];
        Arrays.fill(body, (byte) 'x');
        byte[] time = String.format("%020d", System.nanoTime()).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(time, 0, body, 0, 20);
        return new Message(topic, body);
    }

    private void sendAtPace(DefaultMQProducer producer, double time) throws Exception {
        Semaphore unlimited = new Semaphore(0);
        long begun = System.nanoTime();
        SendCallback ignored = new SendCallback() {
            @Override
            public void onSuccess(SendResult result) {
                unlimited.release();
            }

            @Override
            public void onException(Throwable error) {
                error.printStackTrace();
            }
        };
        int sent = 0;
        while (sent < time * PACE) {
            long due = begun + sent * (1_000_000_000L / PACE);
            while (System.nanoTime() < due) {
                LockSupport.parkNanos(due - System.nanoTime());
            }
            producer.send(stamped(), ignored);
            sent++;
        }
    }

    /** Sends the first message of new topics, each with a new client: from the start of the producer to the result. */
    private void first() throws Exception {
        int count = arguments.number("count", 5);
        begin();
        for (int number = 0; number < count; number++) {
            DefaultMQProducer producer = producer("bench_producer");
            producer.setInstanceName("first-" + number);
            long begun = System.nanoTime();
            producer.start();
            expectOk(producer.send(new Message(topic + "_" + number, new byte[size])));
            latencies.add(System.nanoTime() - begun);
            producer.shutdown();
        }
        end(count);
    }

    /** Round trips, each of the threads with one in flight: a request blocks its thread. */
    private void request() throws Exception {
        DefaultMQProducer producer = producer("bench_producer");
        producer.start();
        while (!isAnswered(producer)) {
            Thread.sleep(10);
        }
        int depth = arguments.number("depth", 1);
        requestFor(producer, depth, warm);
        begin();
        requestFor(producer, depth, seconds);
        end(latencies.size());
    }

    /** The one that replies may still be joining its group. */
    private boolean isAnswered(DefaultMQProducer producer) {
        try {
            return producer.request(new Message(topic, new byte[size]), 1000) != null;
        } catch (Exception error) {
            return false;
        }
    }

    private void requestFor(DefaultMQProducer producer, int depth, double time) throws Exception {
        long until = System.nanoTime() + (long) (time * 1e9);
        byte[] body = new byte[size];
        Arrays.fill(body, (byte) 'x');
        List<Thread> threads = new ArrayList<>();
        for (int number = 0; number < depth; number++) {
            Thread thread = new Thread(() -> {
                for (long begun = System.nanoTime(); begun < until; ) {
                    try {
                        producer.request(new Message(topic, body), REPLY_MILLIS);
                    } catch (Exception error) {
                        throw new IllegalStateException(error);
                    }
                    long now = System.nanoTime();
                    latencies.add(now - begun);
                    begun = now;
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    /** Replies to requests, with what they say, until standard input ends. */
    private void answer() throws Exception {
        DefaultMQProducer producer = producer("bench_answerer");
        producer.start();
        byte[] first = "creates the topic".getBytes(StandardCharsets.US_ASCII);
        expectOk(producer.send(new Message(topic, first)));
        AtomicInteger count = new AtomicInteger();
        DefaultMQPushConsumer consumer = consumer("bench_" + topic, (messages, context) -> {
            for (MessageExt message : messages) {
                if (!Arrays.equals(message.getBody(), first)) {
                    count.incrementAndGet();
                    reply(producer, message);
                }
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.setConsumeThreadMax(ANSWERING);
        consumer.setConsumeThreadMin(ANSWERING);
        consumer.start();
        begin();
        new Json().with("event", "started").print();
        while (System.in.read() >= 0) {
            // Nothing is said.
        }
        end(count.get());
    }

    private static void reply(DefaultMQProducer producer, MessageExt request) {
        try {
            expectOk(producer.send(MessageUtil.createReplyMessage(request, request.getBody())));
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }
}
