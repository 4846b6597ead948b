package org.example.interop;

/** What becomes of an exception that nobody catches. */
final class Failures {
    private Failures() {
    }

    /** Ends the virtual machine with status 1 instead of leaving the client's threads running. */
    static void endTheProgram() {
        Thread.setDefaultUncaughtExceptionHandler((thread, error) -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
        });
    }
}
