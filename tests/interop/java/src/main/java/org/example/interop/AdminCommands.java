package org.example.interop;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.Permission;
import org.apache.rocketmq.remoting.RPCHook;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * Runs the mqadmin commands read from standard input, one a line, in one virtual machine; prints what each printed.
 *
 * <p>With "--limit" a command that takes more seconds is left alone, and what it printed so far is reported. With the flag
 * "-Djava.security.manager=allow" commands that would end the virtual machine end only themselves.
 */
public final class AdminCommands {
    private static final boolean KEEPS_RUNNING = "allow".equals(System.getProperty("java.security.manager"));

    private AdminCommands() {
    }

    /** Follows the commands until the end of input. */
    public static void main(String[] words) throws Exception {
        Failures.endTheProgram();
        Shutdowns.hasten(Thread.currentThread());
        Arguments arguments = new Arguments(words);
        String namesrv = arguments.text("namesrv");
        int limit = arguments.number("limit", 0);
        if (KEEPS_RUNNING) {
            System.setSecurityManager(new NoExit());
        }
        PrintStream standard = System.out;
        new Json().with("event", "started").print();
        Commands.follow(command -> {
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            PrintStream capture = new PrintStream(printed, true, StandardCharsets.UTF_8);
            PrintStream errors = System.err;
            System.setOut(capture);
            System.setErr(capture);
            boolean ended = true;
            try {
                ended = run((command + " -n " + namesrv).split(" +"), arguments.credentials(), limit);
            } finally {
                System.setOut(standard);
                System.setErr(errors);
            }
            String output = new String(printed.toByteArray(), StandardCharsets.UTF_8);
            new Json().with("event", "admin").with("command", command).with("ended", ended).with("output", output).print();
        });
        new Json().with("event", "done").print();
        Runtime.getRuntime().halt(0);
    }

    /** Runs one command; false where it runs on after the limit. */
    private static boolean run(String[] words, RPCHook credentials, int limit) {
        Runnable command = () -> {
            try {
                MQAdminStartup.main0(words, credentials);
            } catch (Exit exit) {
                // That was all that the command did.
            }
        };
        if (limit == 0) {
            command.run();
            return true;
        }
        Thread thread = new Thread(command, "command");
        thread.setDaemon(true);
        thread.start();
        try {
            thread.join(1000L * limit);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            thread.interrupt();
            return false;
        }
        return true;
    }

    /** What a command is ended with that asks for the end of the program. */
    private static final class Exit extends Error {
    }

    /** Allows everything but that. */
    private static final class NoExit extends SecurityManager {
        @Override
        public void checkExit(int status) {
            throw new Exit();
        }

        @Override
        public void checkPermission(Permission permission) {
            // Everything else is allowed.
        }
    }
}
