package org.example.interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** What the harness says on standard input: one command a line; the end of input means "stop". */
final class Commands {
    private Commands() {
    }

    /** Hands every command to the handler; returns at "stop" or at the end of input. */
    static void follow(Consumer<String> handler) throws IOException {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line;
        while ((line = input.readLine()) != null && !line.equals("stop")) {
            handler.accept(line);
        }
    }
}
