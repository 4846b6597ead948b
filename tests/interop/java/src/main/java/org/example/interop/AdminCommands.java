package org.example.interop;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/** Runs the mqadmin commands read from standard input, one a line, in one virtual machine; prints what each printed. */
public final class AdminCommands {
    private AdminCommands() {
    }

    /** Follows the commands until the end of input. */
    public static void main(String[] words) throws Exception {
        Failures.endTheProgram();
        Arguments arguments = new Arguments(words);
        String namesrv = arguments.text("namesrv");
        PrintStream standard = System.out;
        new Json().with("event", "started").print();
        Commands.follow(command -> {
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            PrintStream capture = new PrintStream(printed, true, StandardCharsets.UTF_8);
            PrintStream errors = System.err;
            System.setOut(capture);
            System.setErr(capture);
            try {
                MQAdminStartup.main0((command + " -n " + namesrv).split(" +"), arguments.credentials());
            } finally {
                System.setOut(standard);
                System.setErr(errors);
            }
            String output = new String(printed.toByteArray(), StandardCharsets.UTF_8);
            new Json().with("event", "admin").with("command", command).with("output", output).print();
        });
        new Json().with("event", "done").print();
        System.exit(0);
    }
}
