package org.example.interop;

import java.util.Arrays;

/**
 * Ends the wait with which each client of 5.x shuts down: up to three seconds for events of connections that are closed already.
 *
 * <p>By then it has committed and left its groups. Its thread of events looks only every three seconds whether it is to stop, unless it is interrupted.
 */
final class Shutdowns {
    private static final long PERIOD_MILLIS = 50;

    private Shutdowns() {
    }

    /** Watches a thread that shuts down clients, as long as the program runs. */
    static void hasten(Thread closing) {
        Thread watcher = new Thread(() -> {
            while (true) {
                try {
                    Thread.sleep(PERIOD_MILLIS);
                } catch (InterruptedException stopped) {
                    return;
                }
                if (waits(closing)) {
                    interruptEvents();
                }
            }
        });
        watcher.setDaemon(true);
        watcher.start();
    }

    private static boolean waits(Thread closing) {
        return closing.getState() == Thread.State.TIMED_WAITING
            && Arrays.stream(closing.getStackTrace()).anyMatch(frame -> frame.getClassName().endsWith(".NettyRemotingClient") && frame.getMethodName().equals("shutdown"));
    }

    private static void interruptEvents() {
        Thread[] found = new Thread[Thread.activeCount() + 16];
        int count = Thread.enumerate(found);
        for (int i = 0; i < count; i++) {
            if (found[i].getName().equals("NettyEventExecutor")) {
                found[i].interrupt();
            }
        }
    }
}
