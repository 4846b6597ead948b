package org.example.interop;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.apache.rocketmq.client.consumer.AllocateMessageQueueStrategy;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMachineRoomNearby;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragelyByCircle;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueByConfig;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueByMachineRoom;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueConsistentHash;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Allocates queues to members as read from standard input, cases separated by vertical bars, and prints them: "strategy member members
 * queues", where members are separated by commas and queues are topic/broker/count, separated by semicolons.
 *
 * <p>Rooms are what stands before the first at sign of a broker's name or a member's.
 */
public final class Allocate {
    private Allocate() {
    }

    /** Follows the commands until the end of input. */
    public static void main(String[] words) throws Exception {
        Failures.endTheProgram();
        new Json().with("event", "started").print();
        Commands.follow(line -> {
            List<Object> all = new ArrayList<>();
            for (String one : line.split("\\|")) {
                all.add(allocate(one.split(" ")));
            }
            new Json().with("event", "allocated").with("all", all).print();
        });
        new Json().with("event", "done").print();
        System.exit(0);
    }

    private static List<Object> allocate(String[] parts) {
        List<String> members = new ArrayList<>(Arrays.asList(parts[2].split(",")));
        List<MessageQueue> queues = queues(parts[3]);
        Collections.sort(members);
        Collections.sort(queues);
        List<Object> found = new ArrayList<>();
        for (MessageQueue queue : strategy(parts[0], queues).allocate("G", parts[1], queues, members)) {
            found.add(List.of(queue.getTopic(), queue.getBrokerName(), queue.getQueueId()));
        }
        return found;
    }

    private static List<MessageQueue> queues(String text) {
        List<MessageQueue> queues = new ArrayList<>();
        for (String some : text.split(";")) {
            String[] parts = some.split("/");
            for (int i = 0; i < Integer.parseInt(parts[2]); i++) {
                queues.add(new MessageQueue(parts[0], parts[1], i));
            }
        }
        return queues;
    }

    private static AllocateMessageQueueStrategy strategy(String name, List<MessageQueue> queues) {
        switch (name) {
            case "AVG":
                return new AllocateMessageQueueAveragely();
            case "AVG_BY_CIRCLE":
                return new AllocateMessageQueueAveragelyByCircle();
            case "CONSISTENT_HASH":
                return new AllocateMessageQueueConsistentHash();
            case "CONFIG":
                AllocateMessageQueueByConfig config = new AllocateMessageQueueByConfig();
                config.setMessageQueueList(queues.subList(0, Math.min(2, queues.size())));
                return config;
            case "MACHINE_ROOM":
                AllocateMessageQueueByMachineRoom rooms = new AllocateMessageQueueByMachineRoom();
                rooms.setConsumeridcs(Set.of("east", "west"));
                return rooms;
            default:
                return new AllocateMachineRoomNearby(strategy(name.substring("MACHINE_ROOM_NEARBY-".length()), queues), new Rooms());
        }
    }

    /** The rooms of brokers and members. */
    private static final class Rooms implements AllocateMachineRoomNearby.MachineRoomResolver {
        @Override
        public String brokerDeployIn(MessageQueue queue) {
            return queue.getBrokerName().split("@")[0];
        }

        @Override
        public String consumerDeployIn(String member) {
            return member.split("@")[0];
        }
    }
}
