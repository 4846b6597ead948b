package org.example.interop;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.Permission;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import org.apache.rocketmq.remoting.RPCHook;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * Runs the mqadmin commands read from standard input, one a line, in one virtual machine; prints what each printed.
 *
 * <p>With "--limit" a command that takes more seconds is left alone, and what it printed so far is reported; with "--until" as
 * soon as it has printed what matches. With the flag "-Djava.security.manager=allow" commands that would end the virtual machine
 * end only themselves.
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
        String until = arguments.text("until", "");
        Pattern enough = until.isEmpty() ? null : Pattern.compile(until);
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
                BooleanSupplier done = () -> enough != null && enough.matcher(text(printed)).find();
                ended = run((command + " -n " + namesrv).split(" +"), arguments.credentials(), limit, done);
            } finally {
                System.setOut(standard);
                System.setErr(errors);
            }
            new Json().with("event", "admin").with("command", command).with("ended", ended).with("output", text(printed)).print();
        });
        new Json().with("event", "done").print();
        Runtime.getRuntime().halt(0);
    }

    private static String text(ByteArrayOutputStream printed) {
        return new String(printed.toByteArray(), StandardCharsets.UTF_8);
    }

    /** Runs one command; false where it runs on after the limit, or once it is done. */
    private static boolean run(String[] words, RPCHook credentials, int limit, BooleanSupplier done) {
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
            for (int tenths = 10 * limit; tenths > 0 && thread.isAlive() && !done.getAsBoolean(); tenths--) {
                thread.join(100);
            }
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
